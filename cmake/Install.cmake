# Headers, library, find_package files, pkg-config file.
if(NOT VPCFLOW_DEPS STREQUAL "system")
  message(STATUS "vpcflow: fetched dependencies are not installed, so neither is vpcflow")
  return()
endif()
install(TARGETS vpcflow_core vpcflow vpcflow_re2 vpcflow_zlib vpcflow_isal vpcflow_zstd vpcflow_simdjson EXPORT vpcflowTargets)
if(VPCFLOW_S3)
  install(TARGETS vpcflow_s3 EXPORT vpcflowTargets)
endif()
install(DIRECTORY include/vpcflow DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT vpcflowTargets NAMESPACE vpcflow:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/vpcflow)
configure_package_config_file(cmake/vpcflowConfig.cmake.in ${PROJECT_BINARY_DIR}/vpcflowConfig.cmake
                              INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/vpcflow)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/vpcflowConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/vpcflowConfig.cmake ${PROJECT_BINARY_DIR}/vpcflowConfigVersion.cmake
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/vpcflow)
configure_file(cmake/vpcflow.pc.in ${PROJECT_BINARY_DIR}/vpcflow.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/vpcflow.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
