# LibTorch as imported targets, its two halves apart: the program links the CPU half only, and opens
# the module that links the CUDA half when it is asked to. LibTorch's own package file would link both.
file(GLOB torch_hint ${PROJECT_SOURCE_DIR}/.venv/lib/python3*/site-packages/torch)
# Suffixes for its folder, and for what torch.utils.cmake_prefix_path names.
find_path(TORCH_INCLUDE_DIR ATen/ATen.h PATH_SUFFIXES include ../../include HINTS ${torch_hint})
if(NOT TORCH_INCLUDE_DIR)
  message(FATAL_ERROR "LibTorch 2.11 was not found. Run scripts/setup, or give its folder in CMAKE_PREFIX_PATH.")
endif()
cmake_path(NORMAL_PATH TORCH_INCLUDE_DIR)
cmake_path(GET TORCH_INCLUDE_DIR PARENT_PATH TORCH_ROOT)

set(torch_version_file ${TORCH_INCLUDE_DIR}/torch/headeronly/version.h)
if(EXISTS ${torch_version_file})
  file(STRINGS ${torch_version_file} torch_version_lines REGEX "define TORCH_VERSION_(MAJOR|MINOR) ")
endif()
string(REGEX MATCHALL "[0-9]+" torch_version "${torch_version_lines}")
list(JOIN torch_version "." torch_version)
if(NOT torch_version STREQUAL "2.11")
  message(FATAL_ERROR "LibTorch 2.11 is needed, but ${TORCH_ROOT} holds version "
    "${torch_version}. Run scripts/setup, or give the folder of another in CMAKE_PREFIX_PATH.")
endif()

function(retia_import_torch target library)
  if(TARGET ${target})
    return()
  endif()
  add_library(${target} SHARED IMPORTED GLOBAL)
  set_target_properties(${target} PROPERTIES IMPORTED_LOCATION ${TORCH_ROOT}/lib/lib${library}.so)
  target_include_directories(${target} SYSTEM INTERFACE
    ${TORCH_ROOT}/include ${TORCH_ROOT}/include/torch/csrc/api/include)
endfunction()

retia_import_torch(torch::c10 c10)
retia_import_torch(torch::cpu torch_cpu)
target_link_libraries(torch::cpu INTERFACE torch::c10)

# The OpenMP runtime that LibTorch itself loads, as a target that compiles for it. A second runtime in
# the process would have threads of its own, which spin against the first's.
execute_process(COMMAND ${CMAKE_READELF} -d ${TORCH_ROOT}/lib/libtorch_cpu.so
  OUTPUT_VARIABLE torch_needs ERROR_QUIET)
if(torch_needs MATCHES "\\[(lib(gomp|iomp5|omp)[^]]*)\\]")
  find_library(TORCH_OPENMP_LIBRARY NAMES ${CMAKE_MATCH_1} PATHS ${TORCH_ROOT}/lib NO_DEFAULT_PATH)
  find_library(TORCH_OPENMP_LIBRARY NAMES ${CMAKE_MATCH_1})  # LibTorch may use the system's
endif()
include(CheckCXXCompilerFlag)
check_cxx_compiler_flag(-fopenmp RETIA_COMPILES_OPENMP)
if(NOT TORCH_OPENMP_LIBRARY OR NOT RETIA_COMPILES_OPENMP)
  message(FATAL_ERROR "Fused operations would run on one core: this build needs a compiler with "
    "-fopenmp and the OpenMP runtime of the LibTorch in ${TORCH_ROOT}, whose libtorch_cpu.so names "
    "'${CMAKE_MATCH_1}'. Install g++, or give the folder of a LibTorch with OpenMP in CMAKE_PREFIX_PATH.")
endif()
add_library(torch::openmp SHARED IMPORTED GLOBAL)
set_target_properties(torch::openmp PROPERTIES IMPORTED_LOCATION ${TORCH_OPENMP_LIBRARY})
target_compile_options(torch::openmp INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fopenmp>)
