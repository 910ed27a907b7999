# LibTorch as imported targets, its two halves apart: the program links the CPU half only, and opens
# the module that links the CUDA half when it is asked to. LibTorch's own package file would link both.
file(GLOB torch_hint ${PROJECT_SOURCE_DIR}/.venv/lib/python3*/site-packages/torch)
find_path(TORCH_INCLUDE_DIR torch/script.h PATH_SUFFIXES include HINTS ${torch_hint})
if(NOT TORCH_INCLUDE_DIR)
  message(FATAL_ERROR "LibTorch 2.11 was not found. Run scripts/setup, or give its folder in CMAKE_PREFIX_PATH.")
endif()
get_filename_component(TORCH_ROOT ${TORCH_INCLUDE_DIR} DIRECTORY)

file(STRINGS ${TORCH_INCLUDE_DIR}/torch/headeronly/version.h torch_version_lines REGEX "define TORCH_VERSION_(MAJOR|MINOR) ")
string(REGEX MATCHALL "[0-9]+" torch_version "${torch_version_lines}")
if(NOT torch_version STREQUAL "2;11")
  message(FATAL_ERROR "LibTorch 2.11 is needed, but ${TORCH_ROOT} holds version ${torch_version}. Give another in CMAKE_PREFIX_PATH.")
endif()

function(retia_import_torch target)
  add_library(${target} SHARED IMPORTED GLOBAL)
  set_target_properties(${target} PROPERTIES IMPORTED_LOCATION ${TORCH_ROOT}/lib/lib${ARGV1}.so)
  target_include_directories(${target} SYSTEM INTERFACE
    ${TORCH_ROOT}/include ${TORCH_ROOT}/include/torch/csrc/api/include)
endfunction()

retia_import_torch(torch::c10 c10)
retia_import_torch(torch::cpu torch_cpu)
target_link_libraries(torch::cpu INTERFACE torch::c10)
