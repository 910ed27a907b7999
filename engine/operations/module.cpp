#include "retia/engine/operations/module.h"

#include <ATen/CPUGeneratorImpl.h>

#include <mutex>

namespace retia {
namespace {

at::Tensor exchange_global_state(const at::Tensor& state) {
  at::Generator global = at::detail::getDefaultCPUGenerator();
  const std::lock_guard<std::mutex> lock(global.mutex());
  at::Tensor saved = global.get_state();
  global.set_state(state);
  return saved;
}

}  // namespace

LentGenerator::LentGenerator(const at::Generator& generator)
    : saved_(exchange_global_state(generator.get_state())) {}

LentGenerator::LentGenerator() : LentGenerator(at::detail::createCPUGenerator()) {}

LentGenerator::~LentGenerator() { exchange_global_state(saved_); }

}  // namespace retia
