#pragma once

/// The fused operations, as functions of tensors.

#include "retia/kernels/augment/augment.h"
#include "retia/kernels/conv_norm/conv_norm.h"
#include "retia/kernels/mixed_op/mixed_op.h"
