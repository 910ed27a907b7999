# retia_add_suites(<program> [LABELS <label>...] [TIMEOUT <seconds>] [ENVIRONMENT <variable>...]) adds one
# test for each suite of a GoogleTest program, `<program less _tests>.<suite>`: a process for each case
# would load LibTorch anew, which takes longer than most cases. ctest lists the suites when it starts.
function(retia_add_suites program)
  cmake_parse_arguments(PARSE_ARGV 1 of "" TIMEOUT "LABELS;ENVIRONMENT")
  string(REGEX REPLACE "_tests$" "" prefix ${program})
  set(cost 0)
  if(slow IN_LIST of_LABELS)
    set(cost 100)  # begins first, so that nothing long is left for the end
  endif()
  set(script ${CMAKE_CURRENT_BINARY_DIR}/${program}_suites.cmake)
  file(GENERATE OUTPUT ${script} CONTENT "\
set(program [[$<TARGET_FILE:${program}>]])
set(list [[${CMAKE_CURRENT_BINARY_DIR}/${program}.suites]])
set(prefix ${prefix})
set(labels [[${of_LABELS}]])
set(timeout ${of_TIMEOUT})
set(cost ${cost})
set(environment [[${of_ENVIRONMENT}]])
include([[${PROJECT_SOURCE_DIR}/cmake/ListSuites.cmake]])
")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${script})
endfunction()
