#include "converters/pytorch/entries.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/text.h"

namespace penult::converters {
namespace {

using Kind = Object::Kind;

// Where checkpoints keep the network's tensors, the best first: averages over the training give
// better features than its last step. timm's order, and PyTorch's tutorial last.
constexpr std::string_view kNests[] = {
    "state_dict_ema", "model_ema", "ema", "state_dict", "model", "net", "model_state_dict"};
constexpr size_t kNestCount = std::size(kNests);
constexpr int kMaxNesting = 2;  // {"ema": {"state_dict": ...}}

constexpr int kMaxEntryNesting = 3;   // of --entry
constexpr size_t kMaxEntries = 1000;  // that are looked at: no checkpoint has as many networks
constexpr size_t kMaxListed = 8;      // in one message

bool is_nest(const std::string& key) {
  return std::find(std::begin(kNests), std::end(kNests), key) != std::end(kNests);
}

bool has_tensors(const Object& dict) {
  for (size_t i = 0; i < dict.items.size(); i += 2) {
    if (dict.items[i + 1]->kind == Kind::kTensor) return true;
  }
  return false;
}

// Why a value cannot be read, by what made it.
struct Unreadable {
  std::string_view maker;  // that its name begins with
  const char* why;
};
constexpr Unreadable kUnreadable[] = {
    {"torch.float8",
     "; convert to float32: torch.save({k: v.float() if v.is_floating_point() else v for k, v in "
     "state_dict.items()}, \"weights.pt\")"},
    {"torch.float4", "; convert to float32 with the tool that made it"},
    {"torch.q",
     ", of a quantised network; take the float32 network that it was made of, or export "
     "it to ONNX before it is quantised"},
    {"torch._utils._rebuild_qtensor",
     ", a quantised tensor; convert to float32: v.dequantize(), or take the float32 network that "
     "it was made of"},
};

// Null if `value` is not one of these.
const Unreadable* find_unreadable(const Object& value) {
  if (value.kind != Kind::kOpaque) return nullptr;
  const std::string maker = opaque_name(value);
  const auto* found = std::find_if(std::begin(kUnreadable), std::end(kUnreadable),
                                   [&](const auto& row) { return maker.starts_with(row.maker); });
  return found == std::end(kUnreadable) ? nullptr : found;
}

// Of a dict without tensors. Only the first opaque value is asked: to name all would take time that
// a file can make long.
Status check_first_opaque(const Object& dict) {
  for (size_t i = 0; i < dict.items.size(); i += 2) {
    const Object& value = *dict.items[i + 1];
    if (value.kind != Kind::kOpaque) continue;
    return find_unreadable(value) != nullptr ? not_a_tensor(*dict.items[i], value) : Status();
  }
  return {};
}

struct Entry {
  std::string path;
  Ref dict;
};

// The dicts with tensors inside of a dict, in its order.
class Entries {
 public:
  explicit Entries(const Object& root) { walk(root, "", 1); }

  bool empty() const { return entries_.empty(); }
  size_t size() const { return entries_.size(); }

  // Of equal names the last one counts, as in Python.
  Ref find(const std::string& path) const {
    const auto found = std::find_if(entries_.rbegin(), entries_.rend(),
                                    [&](const Entry& entry) { return entry.path == path; });
    return found == entries_.rend() ? nullptr : found->dict;
  }

  // Their names, without `except`.
  std::string list(const std::string& except = "") const {
    std::set<std::string_view> listed;
    std::string names;
    for (const Entry& entry : entries_) {
      if (entry.path == except || !listed.insert(entry.path).second) continue;
      if (listed.size() <= kMaxListed) {
        names += concat(names.empty() ? "" : ", ", quote(entry.path));
      }
    }
    if (listed.size() > kMaxListed) {
      names += concat(" and ", listed.size() - kMaxListed, " more");
    }
    return names;
  }

 private:
  void walk(const Object& dict, const std::string& prefix, int depth) {
    // Many keys may lead to one large dict: it is gone through once at each depth.
    if (!walked_.emplace(&dict, depth).second) return;
    for (size_t i = 0; i < dict.items.size() && entries_.size() < kMaxEntries; i += 2) {
      const Object &key = *dict.items[i], &value = *dict.items[i + 1];
      const bool named = key.kind == Kind::kText && key.text.size() <= kMaxNameBytes;
      if (!named || value.kind != Kind::kDict) continue;
      const std::string path = prefix + key.text;
      if (holds_tensors(value)) entries_.push_back({path, &value});
      if (depth < kMaxEntryNesting) walk(value, path + ".", depth + 1);
    }
  }
  bool holds_tensors(const Object& dict) {
    const auto [known, is_new] = known_.emplace(&dict, false);
    if (is_new) known->second = has_tensors(dict);
    return known->second;
  }

  std::set<std::pair<Ref, int>> walked_;
  std::map<Ref, bool> known_;
  std::vector<Entry> entries_;
};

// The dict of tensors that the first possible of kNests leads to, else `dict` itself. Of two equal
// keys the last one counts, as in Python. `seen` are those that were looked through in vain: many
// keys may lead to one large dict.
std::optional<Chosen> find_tensors(const Object& dict, int depth,
                                   std::set<std::pair<Ref, int>>& seen) {
  if (!seen.emplace(&dict, depth).second) return std::nullopt;
  std::array<Ref, kNestCount> nests{};
  bool tensors = false;
  for (size_t i = 0; i < dict.items.size(); i += 2) {
    const Object &key = *dict.items[i], &value = *dict.items[i + 1];
    tensors = tensors || value.kind == Kind::kTensor;
    if (key.kind != Kind::kText || value.kind != Kind::kDict) continue;
    const auto* nest = std::find(std::begin(kNests), std::end(kNests), key.text);
    if (nest != std::end(kNests)) nests[nest - std::begin(kNests)] = &value;
  }
  for (size_t i = 0; i < kNestCount && depth < kMaxNesting; ++i) {
    if (nests[i] == nullptr) continue;
    if (auto inner = find_tensors(*nests[i], depth + 1, seen)) {
      inner->path = concat(kNests[i], inner->path.empty() ? "" : ".", inner->path);
      return inner;
    }
  }
  return tensors ? std::optional(Chosen{&dict, "", ""}) : std::nullopt;
}

Status corrupt(std::string message) {
  return Status(StatusCode::kFormatCorrupt, std::move(message));
}

Status whole_module(std::string_view where, const Object& opaque) {
  return Status(StatusCode::kFormatUnsupported,
                concat(where, " an object of ", quote(opaque_name(opaque)),
                       ", which only its own Python code could build and which is never run; ",
                       kSaveTensors, ", or export the network: torch.onnx.export(model, ...)"));
}

// Tensors, but in no place where they are looked for.
Status which_entry(const Entries& entries) {
  std::string known;
  for (const auto nest : kNests) known += concat(known.empty() ? "" : ", ", nest);
  const bool one = entries.size() == 1;
  return Status(StatusCode::kFormatUnsupported,
                concat("the tensors are in the entr", one ? "y " : "ies ", entries.list(),
                       ", expected them in the file's dict itself or in one of ", known,
                       "; choose with --entry NAME"));
}

// Why nothing was found.
Status no_tensors(const Object& root) {
  if (root.kind == Kind::kOpaque) return whole_module("the file holds", root);
  if (root.kind != Kind::kDict) return corrupt("the file does not hold a dict of tensors");
  if (root.items.empty()) return corrupt("the file holds no tensors");
  PENULT_RETURN_IF_ERROR(check_first_opaque(root));
  bool nest_seen = false;
  for (size_t i = 0; i < root.items.size(); i += 2) {
    const Object &key = *root.items[i], &value = *root.items[i + 1];
    if (!nest_seen && value.kind == Kind::kDict && is_nest(key.text)) {
      nest_seen = true;
      PENULT_RETURN_IF_ERROR(check_first_opaque(value));
    }
    if (value.kind == Kind::kOpaque && is_nest(key.text)) {
      return whole_module(concat("the entry ", quote(key.text), " holds"), value);
    }
  }
  return Status(StatusCode::kFormatUnsupported,
                concat("the file's dict holds no tensors, its first entry is ",
                       quote(root.items[0]->text), "; ", kSaveTensors));
}

Result<Chosen> choose_wanted(const Object& root, const Entries& entries,
                             const std::string& wanted) {
  if (const Ref dict = entries.find(wanted)) return Chosen{dict, wanted, ""};
  if (entries.empty() && !has_tensors(root)) return no_tensors(root);
  return Status(StatusCode::kInvalidArgument,
                concat("--entry: the file has no entry ", quote(wanted), " that holds tensors; ",
                       entries.empty() ? "it holds them itself, without entries"
                                       : concat("expected one of ", entries.list())));
}

}  // namespace

Status not_a_tensor(const Object& key, const Object& value) {
  const std::string maker = value.kind == Kind::kOpaque ? opaque_name(value) : std::string();
  if (const Unreadable* row = find_unreadable(value)) {
    return Status(StatusCode::kFormatUnsupported,
                  concat("entry ", quote(key.text), " is ", quote(maker), row->why));
  }
  return Status(StatusCode::kFormatUnsupported,
                concat("entry ", quote(key.text), " is ",
                       value.kind == Kind::kOpaque ? concat("made by ", quote(maker), " and ")
                                                   : std::string(),
                       "not a tensor that can be read; ", kSaveTensors));
}

Result<Chosen> choose_entry(const Object& root, const std::string& wanted) {
  if (root.kind != Kind::kDict) return no_tensors(root);
  const Entries entries(root);
  if (!wanted.empty()) return choose_wanted(root, entries, wanted);
  std::set<std::pair<Ref, int>> seen;
  std::optional<Chosen> chosen = find_tensors(root, 0, seen);
  if (!entries.empty() && (!chosen || chosen->path.empty())) return which_entry(entries);
  if (!chosen) return no_tensors(root);
  if (const std::string others = entries.list(chosen->path); !others.empty()) {
    chosen->note = concat("entry ", quote(chosen->path), " was taken; tensors are in ", others,
                          ", too (--entry NAME takes another)");
  }
  return std::move(*chosen);
}

}  // namespace penult::converters
