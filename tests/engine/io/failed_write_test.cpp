#include "retia/engine/io/failed_write.h"

#include <gmock/gmock.h>

#include <cerrno>
#include <cstring>

namespace retia {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(ReasonAndRemedy, SaysWhatToDoWhereThereIsNoRoom) {
  for (const int failure : {ENOSPC, EDQUOT}) {
    EXPECT_THAT(reason_and_remedy(failure), StartsWith(std::strerror(failure)));
    EXPECT_THAT(reason_and_remedy(failure), HasSubstr("make room"));
    EXPECT_THAT(reason_and_remedy(failure), HasSubstr("--resume"));
  }
}

TEST(ReasonAndRemedy, NamesTheLimitOfAFilesSize) {
  EXPECT_THAT(reason_and_remedy(EFBIG), HasSubstr("ulimit -f"));
}

TEST(ReasonAndRemedy, AsksForAnotherFolderWhereNoneMayWrite) {
  for (const int failure : {EROFS, EACCES}) {
    EXPECT_THAT(reason_and_remedy(failure), HasSubstr("give a folder that can be written"));
  }
}

TEST(ReasonAndRemedy, IsTheReasonAloneWhereNothingHelps) {
  EXPECT_EQ(reason_and_remedy(EIO), std::strerror(EIO));
}

}  // namespace
}  // namespace retia
