// SPDX-License-Identifier: MIT
// What a request was refused with.
#pragma once

#include <string>

#include <gtest/gtest.h>

#include "server/api_error.h"

namespace vl2 {

// The details of the ApiError that `f` throws; a failure if it throws none.
template <class F>
ApiError::Details refusal_of(F&& f) {
  try {
    f();
  } catch (const ApiError& error) {
    return error.details();
  }
  ADD_FAILURE() << "nothing was refused";
  return {};
}

}  // namespace vl2
