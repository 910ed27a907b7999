# Where there is a GPU, a program is built with the module for it; elsewhere only `all` builds the module.
find_program(NVIDIA_SMI nvidia-smi)

# retia_add_executable(<target> <source>...) adds a program that links `retia`, shares its
# precompiled header, and has the module for GPUs beside it.
function(retia_add_executable target)
  add_executable(${target} ${ARGN})
  target_link_libraries(${target} PRIVATE retia retia_flags)
  target_precompile_headers(${target} REUSE_FROM retia)
  if(NVIDIA_SMI OR EXISTS /dev/nvidia0)
    add_dependencies(${target} retia_cuda)
  endif()
endfunction()
