# `cmake --install`: the libraries, their headers, and what find_package(aceward) reads.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/aceward)
get_property(libraries GLOBAL PROPERTY ACEWARD_LIBRARIES)
install(TARGETS ${libraries} EXPORT aceward-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT libraries)
install(EXPORT aceward-targets NAMESPACE Aceward:: DESTINATION ${package_dir} COMPONENT libraries)
install(DIRECTORY aceward DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT libraries FILES_MATCHING PATTERN "*.h")

configure_package_config_file(cmake/aceward-config.cmake.in ${PROJECT_BINARY_DIR}/aceward-config.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/aceward-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/aceward-config.cmake ${PROJECT_BINARY_DIR}/aceward-config-version.cmake
              cmake/AcewardDependencies.cmake
        DESTINATION ${package_dir} COMPONENT libraries)
