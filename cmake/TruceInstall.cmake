# Headers, both libraries, the command, a pkg-config file and a CMake package.
include(CMakePackageConfigHelpers)
install(DIRECTORY include/truce DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS truce_static truce_shared ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET truce)
  install(TARGETS truce RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
# The pkg-config file finds its prefix from where it lies, so an installation can be moved.
file(RELATIVE_PATH truce_prefix_from_pc /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(cmake/truce.pc.in ${CMAKE_CURRENT_BINARY_DIR}/truce.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/truce.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
configure_package_config_file(cmake/truceConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/truceConfig.cmake
                              INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/truce
                              PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/truceConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/truceConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/truceConfigVersion.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/truce)
