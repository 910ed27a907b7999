# `cmake --install` copies the program, the libraries, the headers and a package for find_package(Retia).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Retia)

set_target_properties(retia_kernels PROPERTIES EXPORT_NAME kernels)
set_target_properties(retia_events PROPERTIES EXPORT_NAME events)
# CMake itself would leave out a LibTorch that lies in the source folder, as .venv does.
set_target_properties(retia_program PROPERTIES
  INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR};${TORCH_ROOT}/lib")
set_target_properties(retia_kernels retia_cuda PROPERTIES INSTALL_RPATH "$ORIGIN;${TORCH_ROOT}/lib")
set_target_properties(retia_program retia_kernels retia_cuda PROPERTIES
  INSTALL_RPATH_USE_LINK_PATH ON)
install(TARGETS retia retia_events retia_kernels EXPORT RetiaTargets)
install(TARGETS retia_program)
# Only `all` builds the module where there is no GPU.
install(TARGETS retia_cuda OPTIONAL)

install(DIRECTORY include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY kernels engine models mutators strategies trainers apps
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/retia FILES_MATCHING PATTERN "*.h")

install(EXPORT RetiaTargets NAMESPACE retia:: DESTINATION ${package_dir})
configure_package_config_file(cmake/RetiaConfig.cmake.in ${PROJECT_BINARY_DIR}/RetiaConfig.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/RetiaConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/RetiaConfig.cmake ${PROJECT_BINARY_DIR}/RetiaConfigVersion.cmake
  cmake/Torch.cmake cmake/Dependencies.cmake DESTINATION ${package_dir})

install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
# The text that LICENSE names, where the system has it.
install(FILES /usr/share/common-licenses/Apache-2.0 DESTINATION ${CMAKE_INSTALL_DOCDIR} OPTIONAL)
