#pragma once

// What a plan's steps are in terms of the model that they come from.

#include <vector>

#include "engine/model/model_data.h"
#include "engine/plan/plan.h"
#include "penult/extractor.h"

namespace penult {

// `plan` was made of `model` by NetworkCache; a plan of backend reference has no steps.
std::vector<StepInfo> describe_steps(const ModelData& model, const Plan& plan);

}  // namespace penult
