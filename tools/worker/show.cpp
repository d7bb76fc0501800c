// SPDX-License-Identifier: Apache-2.0
#include "show.h"

#include <ATen/Parallel.h>

#include <algorithm>

#include "paribus/batches.h"
#include "paribus/drives.h"
#include "paribus/error.h"
#include "shown_items.h"
#include "study/spec_json.h"

namespace paribus::worker {

using nlohmann::json;

bool comes_as_bytes(const Dataset& dataset, Split split) {
  Batch one;
  one.items = {0};
  one.split = split;
  dataset.fetch(split, one.items, one);
  return one.inputs.front().data.scalar_type() == at::kByte;
}

json show_data(const json& request, const Dataset& dataset, const PartFactory& factory) {
  TrialSpec spec = trial_spec_from_json(request.at("spec"));
  const json& options = request.at("options");
  const Split split = options.at("valid").get<bool>() ? Split::valid : Split::train;
  at::set_num_threads(static_cast<int>(spec.threads));
  spec.data.workers = 0;
  spec.data.drop_last = false;
  spec.data.batch = spec.data.valid_batch =
      std::min(options.at("items").get<std::int64_t>(), spec.data.batch);
  Drives drives(spec.schedules, factory);
  Batches batches(spec, dataset, factory, &drives);
  if (batches.items(split) == 0) throw Error("this split has no items to show");
  drives.set_lengths(spec.train.epochs, batches.count(Split::train));
  batches.start(split, options.at("epoch"));
  const DataSpec in = dataset.spec();
  json reply =
      ShownItems(in, batches.output(), comes_as_bytes(dataset, split)).json_of(batches.next());
  reply.update({{"ok", true},
                {"split", split == Split::train ? "train" : "valid"},
                {"epoch", options.at("epoch")}});
  return reply;
}

}  // namespace paribus::worker
