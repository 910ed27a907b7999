#pragma once

/// The `retia` program as an object, whose tables users extend.

#include <retia/retia.h>

#include "retia/apps/program.h"
#include "retia/apps/wait_policy.h"
