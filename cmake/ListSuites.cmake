# Read by ctest: adds the suites of `program`. Their list is kept until the program changes.
if(NOT EXISTS ${program})
  add_test(${prefix}.NOT_BUILT ${program})
  return()
endif()
if(NOT EXISTS ${list} OR ${program} IS_NEWER_THAN ${list})
  execute_process(COMMAND ${program} --gtest_list_tests OUTPUT_VARIABLE listed RESULT_VARIABLE failure)
  if(failure)
    message(FATAL_ERROR "${program} --gtest_list_tests: ${failure}")
  endif()
  file(WRITE ${list} "${listed}")
endif()
file(STRINGS ${list} suites REGEX "^[A-Za-z0-9_/]+\\.")
foreach(suite IN LISTS suites)
  string(REGEX REPLACE "\\..*" "" suite ${suite})
  add_test(${prefix}.${suite} ${program} --gtest_filter=${suite}.*)
  # A suite is skipped where all its cases are.
  set_tests_properties(${prefix}.${suite} PROPERTIES LABELS "${labels}" TIMEOUT ${timeout} COST ${cost}
    ENVIRONMENT "${environment}"
    SKIP_REGULAR_EXPRESSION "\\[  PASSED  \\] 0 tests\\.\n(\\[  SKIPPED \\][^\n]*\n)+$")
endforeach()
