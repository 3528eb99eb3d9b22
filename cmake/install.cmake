# What `cmake --install` puts where: the program with its bundled model, and the library as one
# shared object with its five headers, found by find_package(vl2) or pkg-config.
include(CMakePackageConfigHelpers)

# The floors are static libraries; outside they are one, and export the public API alone. Everything
# third-party stays inside. The public functions are those of two floors, whose objects must all be
# there; the linker takes from the others what these ask for.
add_library(vl2_library SHARED $<TARGET_OBJECTS:vl2_engine> $<TARGET_OBJECTS:vl2_image>)
add_library(vl2::vl2 ALIAS vl2_library)
target_link_libraries(vl2_library PRIVATE vl2_engine vl2_image vl2_warnings)
target_link_options(vl2_library PRIVATE
  "LINKER:--version-script=${CMAKE_CURRENT_LIST_DIR}/vl2.map" "LINKER:--no-undefined")
file(GLOB vl2_public_headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/vl2/*.h)
target_sources(vl2_library PUBLIC FILE_SET HEADERS
  BASE_DIRS ${PROJECT_SOURCE_DIR}/include FILES ${vl2_public_headers})
target_compile_features(vl2_library PUBLIC cxx_std_20)
set_target_properties(vl2_library PROPERTIES
  LINKER_LANGUAGE CXX OUTPUT_NAME vl2 EXPORT_NAME vl2 VERSION ${PROJECT_VERSION}
  SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
  LINK_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/vl2.map)

install(TARGETS vl2_library EXPORT vl2Targets FILE_SET HEADERS
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET vl2)
  install(TARGETS vl2 RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/models/vl2-nano
    DESTINATION ${CMAKE_INSTALL_DATADIR}/vl2/models PATTERN eval EXCLUDE)
endif()
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(vl2_cmake_folder ${CMAKE_INSTALL_LIBDIR}/cmake/vl2)
install(EXPORT vl2Targets NAMESPACE vl2:: DESTINATION ${vl2_cmake_folder})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/vl2Config.cmake.in
  ${PROJECT_BINARY_DIR}/vl2Config.cmake INSTALL_DESTINATION ${vl2_cmake_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/vl2ConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/vl2Config.cmake ${PROJECT_BINARY_DIR}/vl2ConfigVersion.cmake
  DESTINATION ${vl2_cmake_folder})
# From the pkg-config file back to the prefix, so that the whole tree may be moved.
file(RELATIVE_PATH vl2_pc_to_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(${CMAKE_CURRENT_LIST_DIR}/vl2.pc.in ${PROJECT_BINARY_DIR}/vl2.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/vl2.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
