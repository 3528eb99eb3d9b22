// SPDX-License-Identifier: MIT
// The part of config.json that describes the language model.
#pragma once

#include "checkpoint/config_reader.h"
#include "checkpoint/model_config.h"

namespace vl2 {

// `reader` holds the object language_config. Throws as load_model_config() does.
LanguageConfig read_language_config(const ConfigReader& reader);

}  // namespace vl2
