#include <gmock/gmock.h>

#include <cstdlib>

/// Runs the tests of a program. All rewrites of graphs are verified, also in the processes that the
/// tests start (see engine/ir/verify.h).
int main(int argc, char** argv) {
  setenv("RETIA_VERIFY_IR", "1", /*overwrite=*/0);
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
