# The web page: built by npm, packed into one file and a table, and linked into the program. Without
# node and npm, or where npm cannot fetch packages, the program serves a plain page that says so.
#
# vl2_embed_page(vl2_server): adds the table, and the files if there are any.
option(VL2_WEB_PAGE "Build the web page, if npm is there" ON)

function(vl2_embed_page target)
  set(absent ${PROJECT_SOURCE_DIR}/src/server/page_absent.cc)
  find_program(VL2_NPM npm)
  find_program(VL2_NODE NAMES node nodejs)
  if(NOT VL2_WEB_PAGE OR NOT VL2_NPM OR NOT VL2_NODE)
    if(VL2_WEB_PAGE)
      message(STATUS "The web page is left out: npm or node is missing; vl2 serve has a plain page")
    endif()
    target_sources(${target} PRIVATE ${absent})
    return()
  endif()
  set(web ${PROJECT_SOURCE_DIR}/web)
  set(out ${PROJECT_BINARY_DIR}/web)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${web}/src/*)
  file(GLOB configuration CONFIGURE_DEPENDS
       ${web}/*.json ${web}/*.html ${web}/*.ts ${web}/*.mjs ${web}/*.sh)
  file(GLOB examples CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/models/vl2-nano/demo/*.png)
  add_custom_command(
    OUTPUT ${out}/page_files.cc ${out}/page.bin
    COMMAND sh ${web}/build.sh ${out}
    DEPENDS ${sources} ${configuration} ${examples} ${absent}
    COMMENT "Building the web page"
    VERBATIM)
  target_sources(${target} PRIVATE ${out}/page_files.cc ${PROJECT_SOURCE_DIR}/src/server/page_data.S)
  set_source_files_properties(${PROJECT_SOURCE_DIR}/src/server/page_data.S PROPERTIES
    OBJECT_DEPENDS ${out}/page.bin COMPILE_OPTIONS "-I${out}")
endfunction()
