# How a library of the project is declared, with the flags that all of them share.

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

add_compile_options(-Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor -Woverloaded-virtual
                    -Wimplicit-fallthrough -Werror=return-type -fstack-protector-strong)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports these inside the standard library at -O2, where nothing is wrong.
  add_compile_options(-Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-stringop-overread -Wno-array-bounds -Wno-restrict)
endif()
if(CMAKE_UNITY_BUILD)
  # A type in an unnamed namespace counts as one of a header when its file is merged with others.
  add_compile_options(-Wno-subobject-linkage)
endif()
if(ACEWARD_SANITIZE)
  add_compile_options(-fsanitize=${ACEWARD_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${ACEWARD_SANITIZE})
endif()
if(ACEWARD_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# aceward_library(NAME SOURCES … [PUBLIC targets…] [PRIVATE targets…] [TESTS files…] [TEST_LINKS targets…])
#
# Makes libaceward_NAME with the alias Aceward::NAME, and, where tests are built, one executable NAME_test that CTest
# runs. NAME is the folder's path below aceward/ with underscores for slashes.
function(aceward_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE;TESTS;TEST_LINKS" ${ARGN})
  add_library(aceward_${name} STATIC ${ARG_SOURCES})
  add_library(Aceward::${name} ALIAS aceward_${name})
  set_target_properties(aceward_${name} PROPERTIES EXPORT_NAME ${name})
  target_include_directories(aceward_${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<INSTALL_INTERFACE:include>)
  target_compile_features(aceward_${name} PUBLIC cxx_std_23)
  target_link_libraries(aceward_${name} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
  set_property(GLOBAL APPEND PROPERTY ACEWARD_LIBRARIES aceward_${name})
  if(ACEWARD_TESTS AND ARG_TESTS)
    aceward_test(${name}_test SOURCES ${ARG_TESTS} LINKS Aceward::${name} ${ARG_TEST_LINKS})
  endif()
endfunction()

# aceward_test(NAME SOURCES … LINKS …): a GoogleTest executable that CTest runs as one test. ACEWARD_TEST_FLAGS are for
# the sources of tests alone.
function(aceward_test name)
  if(NOT ACEWARD_TESTS)
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_options(${name} PRIVATE ${ACEWARD_TEST_FLAGS})
  target_link_libraries(${name} PRIVATE ${ARG_LINKS} GTest::gmock GTest::gtest_main)
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT 300)
endfunction()

# aceward_fuzz(NAME LINKS …): the fuzz target in NAME_fuzz.cc, with its seeds in fuzz/seeds/NAME/. With ACEWARD_FUZZ it
# becomes a libFuzzer program, fuzz_NAME. Otherwise, where tests are built, the same source is linked to a driver that
# runs it over the seeds, and CTest does that under the label "fuzz".
function(aceward_fuzz name)
  cmake_parse_arguments(ARG "" "" "LINKS" ${ARGN})
  if(ACEWARD_FUZZ)
    add_executable(fuzz_${name} ${name}_fuzz.cc)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  elseif(ACEWARD_TESTS)
    add_executable(fuzz_${name} ${name}_fuzz.cc ${PROJECT_SOURCE_DIR}/fuzz/replay_main.cc)
    add_test(NAME fuzz.${name} COMMAND fuzz_${name} fuzz/seeds/${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz TIMEOUT 300)
  else()
    return()
  endif()
  target_include_directories(fuzz_${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(fuzz_${name} PRIVATE ${ARG_LINKS})
  # Two files that each define their own names must not be merged into one unit with the driver.
  set_target_properties(fuzz_${name} PROPERTIES UNITY_BUILD OFF)
endfunction()
