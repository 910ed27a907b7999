#pragma once

#include "retia/models/spaces.h"

namespace retia {

inline const Task kDigits{.input = {1, 8, 8}, .n_outputs = 10};
inline const Task kCifar{.input = {3, 32, 32}, .n_outputs = 10};
inline const Task kImageNet{.input = {3, 224, 224}, .n_outputs = 1000};

}  // namespace retia
