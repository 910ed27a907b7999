#include "retia/engine/experiment/gpus.h"

#include <gmock/gmock.h>
#include <stdlib.h>
#include <unistd.h>

#include "retia/tests/engine/io/temporary_folder.h"

namespace retia {
namespace {

using testing::HasSubstr;
using testing::Optional;

/// A machine with an `nvidia-smi` that says what a test wants.
class GpusOfAMachine : public testing::Test {
 protected:
  GpusOfAMachine() {
    ::unsetenv("CUDA_VISIBLE_DEVICES");
    ::setenv("PATH", (folder_.path().string() + ":" + path_).c_str(), 1);
    write_plainly(folder_ / "gpus", "0, GPU-aa\n1, GPU-bb\n2, GPU-cc\n");
    write_plainly(folder_ / "apps", "");
    write_plainly(folder_ / "nvidia-smi", "#!/bin/sh\ncase $1 in *compute-apps*) cat " +
                                              (folder_ / "apps").string() + ";; *) cat " +
                                              (folder_ / "gpus").string() + ";; esac\n");
    std::filesystem::permissions(folder_ / "nvidia-smi", std::filesystem::perms::owner_all);
  }
  ~GpusOfAMachine() override {
    ::unsetenv("CUDA_VISIBLE_DEVICES");
    ::setenv("PATH", path_.c_str(), 1);
  }

  void others_use(const std::string& apps) const { write_plainly(folder_ / "apps", apps); }

  const TemporaryFolder folder_;
  const std::string path_ = ::getenv("PATH");
};

TEST_F(GpusOfAMachine, AreGivenOneByOne) {
  Gpus gpus({}, ActiveGpus::LeaveAlone);
  EXPECT_THAT(gpus.take(), Optional(std::string("0")));
  EXPECT_THAT(gpus.take(), Optional(std::string("1")));
  EXPECT_THAT(gpus.take(), Optional(std::string("2")));
  EXPECT_EQ(gpus.take(), std::nullopt);
  gpus.give_back("1");
  EXPECT_THAT(gpus.take(), Optional(std::string("1")));
}

TEST_F(GpusOfAMachine, AreLeftAloneWhereOthersComputeOnThem) {
  others_use("4242, GPU-aa\n" + std::to_string(::getpid()) + ", GPU-bb\n");
  Gpus gpus({}, ActiveGpus::LeaveAlone);
  EXPECT_THAT(gpus.take(), Optional(std::string("1")));
  EXPECT_THAT(gpus.take(), Optional(std::string("2")));
  EXPECT_EQ(gpus.take(), std::nullopt);
  Gpus all({}, ActiveGpus::Use);
  EXPECT_THAT(all.take(), Optional(std::string("0")));
}

TEST_F(GpusOfAMachine, AreThoseThatWereNamed) {
  Gpus some({2, 0}, ActiveGpus::LeaveAlone);
  EXPECT_THAT(some.take(), Optional(std::string("2")));
  EXPECT_THAT(some.take(), Optional(std::string("0")));
  EXPECT_EQ(some.take(), std::nullopt);
  ::setenv("CUDA_VISIBLE_DEVICES", "GPU-bb, 2", 1);
  others_use("4242, GPU-bb\n");
  Gpus visible({}, ActiveGpus::LeaveAlone);
  EXPECT_THAT(visible.take(), Optional(std::string("2")));
  EXPECT_EQ(visible.take(), std::nullopt);
}

TEST_F(GpusOfAMachine, AreMissedInOneLine) {
  const auto error = [](const std::vector<int64_t>& wanted) {
    return error_of([&] { Gpus(wanted, ActiveGpus::LeaveAlone); });
  };
  EXPECT_THAT(error({3}), HasSubstr("there is no GPU 3 (runner.gpus): nvidia-smi lists 3"));
  EXPECT_THAT(error({1, 1}), HasSubstr("GPU 1 is named twice"));
  others_use("1, GPU-aa\n1, GPU-bb\n1, GPU-cc\n");
  EXPECT_THAT(error({}), HasSubstr("other processes use all GPUs (0, 1, 2)"));
  EXPECT_THAT(error({}), HasSubstr("--use-active-gpu"));
  std::filesystem::remove(folder_ / "nvidia-smi");
  ::setenv("PATH", "/nowhere", 1);
  EXPECT_THAT(error({}), HasSubstr("no GPU was found for trials"));
  EXPECT_THAT(Gpus({5}, ActiveGpus::LeaveAlone).take(), Optional(std::string("5")));
}

}  // namespace
}  // namespace retia
