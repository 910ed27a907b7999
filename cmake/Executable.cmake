# retia_add_executable(<target> <source>...) adds a program that links `retia`, shares its
# precompiled header, and has the module for GPUs beside it.
function(retia_add_executable target)
  add_executable(${target} ${ARGN})
  target_link_libraries(${target} PRIVATE retia)
  target_precompile_headers(${target} REUSE_FROM retia)
  add_dependencies(${target} retia_cuda)
endfunction()
