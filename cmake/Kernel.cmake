# retia_add_kernel(<name> <source>...) adds the folder kernels/<name>: its checks, reference and CPU
# code, and sources beside, to libretia_kernels.so, its CUDA code to the module libretia_cuda.so, and
# its name to the global property RETIA_KERNELS: bench/kernels/<name>_bench.cpp is its benchmark.
function(retia_add_kernel name)
  set_property(GLOBAL APPEND PROPERTY RETIA_KERNELS ${name})
  set(source ${CMAKE_CURRENT_SOURCE_DIR}/${name}/${name})
  target_sources(retia_kernels PRIVATE ${source}.cpp ${source}_reference.cpp)
  # One unit of what checks, dispatches and defines; inner loops and launchers stay apart, for their
  # names are the same in each folder.
  set_source_files_properties(${source}.cpp ${source}_reference.cpp
    PROPERTIES UNITY_GROUP operators)
  foreach(beside IN LISTS ARGN)
    target_sources(retia_kernels PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/${name}/${beside})
  endforeach()
  if(EXISTS ${source}_cpu.cpp)
    target_sources(retia_kernels PRIVATE ${source}_cpu.cpp)
  endif()
  foreach(suffix _cuda.cpp _cuda.cu)
    if(EXISTS ${source}${suffix})
      target_sources(retia_cuda PRIVATE ${source}${suffix})
    endif()
  endforeach()
endfunction()

# retia_add_lanes(<path>) adds the inner loops <path>_<instructions>.cpp to libretia_kernels.so, each
# compiled for these instructions; which of them run is chosen where they are called.
function(retia_add_lanes path)
  set(flags_baseline "")
  set(flags_avx2 -mavx2 -mfma)
  set(flags_avx512 ${flags_avx2} -mavx512f -mavx512vl -mavx512dq -mavx512bw
    -mprefer-vector-width=512)
  foreach(instructions baseline avx2 avx512)
    set(lanes ${CMAKE_CURRENT_SOURCE_DIR}/${path}_${instructions}.cpp)
    target_sources(retia_kernels PRIVATE ${lanes})
    # Vectors are never passed between files, so that the warning about it is beside the point.
    set_source_files_properties(${lanes} PROPERTIES
      COMPILE_OPTIONS "-O3;-ffp-contract=fast;-Wno-psabi;${flags_${instructions}}")
  endforeach()
endfunction()
