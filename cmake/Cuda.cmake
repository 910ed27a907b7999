# Enables the CUDA language and imports LibTorch's CUDA half. The compiler is the first nvcc of
# version 13 among $CUDACXX, the PATH, /usr/local/cuda, and what scripts/setup installs from PyPI.
if(NOT EXISTS ${TORCH_ROOT}/lib/libtorch_cuda.so)
  message(FATAL_ERROR "The LibTorch in ${TORCH_ROOT} is built for the CPU only, but the module for "
    "GPUs needs its CUDA half. Run scripts/setup, or give the folder of another in CMAKE_PREFIX_PATH.")
endif()
file(GLOB cuda_wheels ${PROJECT_SOURCE_DIR}/.venv/lib/python3*/site-packages/nvidia
  ${TORCH_ROOT}/../nvidia)
if(NOT CMAKE_CUDA_COMPILER)
  find_program(nvcc_on_path nvcc NO_CACHE)
  set(nvcc_candidates $ENV{CUDACXX} ${nvcc_on_path} /usr/local/cuda/bin/nvcc)
  foreach(wheels IN LISTS cuda_wheels)
    list(APPEND nvcc_candidates ${wheels}/cu13/bin/nvcc)
  endforeach()
  foreach(nvcc IN LISTS nvcc_candidates)
    set(nvcc_version "")
    if(EXISTS ${nvcc})
      execute_process(COMMAND ${nvcc} --version OUTPUT_VARIABLE nvcc_version ERROR_QUIET)
    endif()
    if(nvcc_version MATCHES "release 13\\.")
      set(CMAKE_CUDA_COMPILER ${nvcc} CACHE FILEPATH "The CUDA compiler")
      break()
    endif()
  endforeach()
endif()
if(NOT CMAKE_CUDA_COMPILER)
  message(FATAL_ERROR "No nvcc of version 13 was found. Run scripts/setup, or name one in CUDACXX.")
endif()

# The architectures are named as PyTorch does: "8.0;9.0+PTX" is machine code for both and PTX of the last.
set(TORCH_CUDA_ARCH_LIST "$ENV{TORCH_CUDA_ARCH_LIST}" CACHE STRING "CUDA architectures to compile for")
if(NOT TORCH_CUDA_ARCH_LIST)
  set(TORCH_CUDA_ARCH_LIST "8.0;9.0+PTX")
endif()
string(REGEX REPLACE "[ ,]+" ";" cuda_architectures "${TORCH_CUDA_ARCH_LIST}")
set(CMAKE_CUDA_ARCHITECTURES "")
foreach(architecture IN LISTS cuda_architectures)
  if(NOT architecture MATCHES "^([0-9]+)\\.([0-9]+[af]?)(\\+PTX)?$")
    message(FATAL_ERROR "TORCH_CUDA_ARCH_LIST holds '${architecture}': write it as 8.0 or 9.0+PTX.")
  endif()
  set(number ${CMAKE_MATCH_1}${CMAKE_MATCH_2})
  if(NOT CMAKE_MATCH_3)
    string(APPEND number -real)
  endif()
  list(APPEND CMAKE_CUDA_ARCHITECTURES ${number})
endforeach()

# CMake 3.25 knows no CUDA standard 20. LibTorch brings the runtime, so it must not be linked in twice.
set(CMAKE_CUDA_STANDARD 17)
set(CMAKE_CUDA_STANDARD_REQUIRED ON)
set(CMAKE_CUDA_RUNTIME_LIBRARY Shared)
get_filename_component(cuda_root ${CMAKE_CUDA_COMPILER} DIRECTORY)
get_filename_component(cuda_root ${cuda_root} DIRECTORY)
enable_language(CUDA)
if(NOT CMAKE_CUDA_COMPILER_VERSION MATCHES "^13\\.")
  message(FATAL_ERROR "${CMAKE_CUDA_COMPILER} has version ${CMAKE_CUDA_COMPILER_VERSION}, but "
    "LibTorch 2.11 needs 13. Run scripts/setup, or name another in CUDACXX.")
endif()

# CMake 3.25's FindCUDAToolkit fails on what PyPI leaves out, and the runtime is all we need of it.
find_library(CUDART_LIBRARY cudart REQUIRED NO_DEFAULT_PATH
  HINTS ${cuda_root}/lib64 ${cuda_root}/lib ${CMAKE_CUDA_IMPLICIT_LINK_DIRECTORIES})

retia_import_torch(torch::c10_cuda c10_cuda)
retia_import_torch(torch::cuda torch_cuda)
target_link_libraries(torch::c10_cuda INTERFACE torch::c10 ${CUDART_LIBRARY})
target_include_directories(torch::c10_cuda SYSTEM INTERFACE
  ${CMAKE_CUDA_TOOLKIT_INCLUDE_DIRECTORIES})
target_link_libraries(torch::cuda INTERFACE torch::c10_cuda torch::cpu)
# LibTorch's CUDA headers include those of cuBLAS, cuDNN and NCCL, which a toolkit may lack.
target_include_directories(torch::cuda SYSTEM INTERFACE ${CMAKE_CUDA_TOOLKIT_INCLUDE_DIRECTORIES})
foreach(wheels IN LISTS cuda_wheels)
  foreach(package cu13 cudnn nccl)
    target_include_directories(torch::cuda SYSTEM INTERFACE
      $<$<COMPILE_LANGUAGE:CXX>:${wheels}/${package}/include>)
  endforeach()
endforeach()
