# retia_add_kernel(<name>) adds the folder kernels/<name>: its checks, reference and CPU code to
# libretia_kernels.so, its CUDA code to the module libretia_cuda.so.
function(retia_add_kernel name)
  set(source ${CMAKE_CURRENT_SOURCE_DIR}/${name}/${name})
  target_sources(retia_kernels PRIVATE ${source}.cpp ${source}_reference.cpp)
  if(EXISTS ${source}_cpu.cpp)
    target_sources(retia_kernels PRIVATE ${source}_cpu.cpp)
  endif()
  foreach(suffix _cuda.cpp _cuda.cu)
    if(EXISTS ${source}${suffix})
      target_sources(retia_cuda PRIVATE ${source}${suffix})
    endif()
  endforeach()
endfunction()
