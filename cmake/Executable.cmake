# Where there is a GPU, a program is built with the module for it; elsewhere only `all` builds the module.
find_program(NVIDIA_SMI nvidia-smi)

# retia_add_executable(<target> <source>...) adds a program that links `retia`.
function(retia_add_executable target)
  retia_add_bare_executable(${target} ${ARGN})
  target_link_libraries(${target} PRIVATE retia)
endfunction()

# retia_add_bare_executable(<target> <source>...) adds a program that shares the library's precompiled
# header, and has the module for GPUs beside it.
function(retia_add_bare_executable target)
  add_executable(${target} ${ARGN})
  target_link_libraries(${target} PRIVATE retia_flags)
  target_precompile_headers(${target} REUSE_FROM retia_precompiled)
  # Version 12 of g++ takes the defaults of members of unnamed objects for uninitialised.
  target_compile_options(${target} PRIVATE
    $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-maybe-uninitialized>)
  if(NVIDIA_SMI OR EXISTS /dev/nvidia0)
    add_dependencies(${target} retia_cuda)
  endif()
endfunction()
