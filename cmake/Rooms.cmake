# What the objects of the engine's rooms are compiled and linked with.
add_library(retia_uses INTERFACE)
target_link_libraries(retia_uses INTERFACE retia_kernels retia_events nlohmann_json::nlohmann_json
  SQLite::SQLite3 ZLIB::ZLIB Threads::Threads ${CMAKE_DL_LIBS})

# The precompiled header that the library and all programs share.
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/generated/precompiled.cpp CONTENT "")
add_library(retia_precompiled OBJECT ${PROJECT_BINARY_DIR}/generated/precompiled.cpp)
target_link_libraries(retia_precompiled PRIVATE retia_uses retia_flags)
target_precompile_headers(retia_precompiled PRIVATE
  <torch/nn/module.h> <torch/optim/sgd.h> <nlohmann/json.hpp>)
set_target_properties(retia_precompiled PROPERTIES UNITY_BUILD OFF)

# retia_add_room(<room> <source>...) adds the folder <room> of the engine as objects, which become part
# of libretia.a. Call it for the rooms from low to high.
function(retia_add_room room)
  set(target retia_${room})
  list(TRANSFORM ARGN PREPEND ${room}/)
  add_library(${target} OBJECT ${ARGN})
  target_link_libraries(${target} PUBLIC retia_uses PRIVATE retia_flags)
  target_precompile_headers(${target} REUSE_FROM retia_precompiled)
  retia_unite_folders(${target})
  target_sources(retia PRIVATE $<TARGET_OBJECTS:${target}>)
  set_property(GLOBAL APPEND PROPERTY RETIA_ROOMS ${room})
endfunction()

# retia_link_rooms(<target> <room>) links the objects of <room> and of all rooms below it: what calls a
# room above does not link.
function(retia_link_rooms target room)
  get_property(rooms GLOBAL PROPERTY RETIA_ROOMS)
  foreach(below IN LISTS rooms)
    target_link_libraries(${target} PRIVATE retia_${below})
    if(below STREQUAL room)
      return()
    endif()
  endforeach()
  message(FATAL_ERROR "The engine has no room '${room}'.")
endfunction()
