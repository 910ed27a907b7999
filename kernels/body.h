#pragma once

/// Marks the function of a body: what one thread of a GPU does in a pass. C++ compilers run it in a
/// loop on the host, for tests.
#ifdef __CUDACC__
#define RETIA_BODY __host__ __device__ __forceinline__
#else
#define RETIA_BODY inline
#endif
