# One static library a floor, linked only to the floors below it, and one test program a floor.

add_library(vl2_warnings INTERFACE)
target_compile_options(vl2_warnings INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow
                                              -Wold-style-cast -Wundef)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # False alarms of g++ 12 on std::string.
  target_compile_options(vl2_warnings INTERFACE -Wno-restrict -Wno-array-bounds
                                                -Wno-stringop-overflow)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # Files of an instruction set silence warnings that clang has not got.
  target_compile_options(vl2_warnings INTERFACE -Wno-unknown-warning-option)
endif()
if(VL2_WERROR)
  target_compile_options(vl2_warnings INTERFACE -Werror)
endif()

# vl2_add_floor(image SOURCES decode.cc ... DEPENDS vl2_base PRIVATE PkgConfig::LIBPNG)
function(vl2_add_floor name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;PRIVATE" ${ARGN})
  add_library(vl2_${name} STATIC ${ARG_SOURCES})
  target_include_directories(vl2_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(vl2_${name} PUBLIC ${ARG_DEPENDS} PRIVATE vl2_warnings ${ARG_PRIVATE})
endfunction()

# vl2_add_tests(image SOURCES decode_test.cc ... DEPENDS vl2_image LABELS fast)
# One label, since lists do not survive the discovery of tests; `ctest -L` takes a regular expression,
# so that fast-threads is found under both its words.
# Tests read their data from VL2_TEST_DATA (tests/data) and VL2_MODELS (models).
function(vl2_add_tests name)
  cmake_parse_arguments(ARG "" "LABELS" "SOURCES;DEPENDS" ${ARGN})
  if(NOT ARG_LABELS)
    set(ARG_LABELS fast)
  endif()
  add_executable(${name}_tests ${ARG_SOURCES})
  target_link_libraries(${name}_tests PRIVATE ${ARG_DEPENDS} vl2_warnings GTest::gmock GTest::gtest_main)
  target_include_directories(${name}_tests PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  # What all tests include is compiled once a program.
  target_precompile_headers(${name}_tests PRIVATE <gmock/gmock.h> <nlohmann/json.hpp>)
  target_compile_definitions(${name}_tests PRIVATE
    VL2_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/data" VL2_MODELS="${PROJECT_SOURCE_DIR}/models")
  gtest_discover_tests(${name}_tests DISCOVERY_TIMEOUT 60
    PROPERTIES LABELS ${ARG_LABELS} TIMEOUT 900)
endfunction()
