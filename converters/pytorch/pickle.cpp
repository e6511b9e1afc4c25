#include "converters/pytorch/pickle.h"

#include <array>
#include <utility>

#include "converters/pytorch/globals.h"
#include "engine/base/check.h"
#include "engine/base/text.h"

namespace penult::converters {
namespace {

using Kind = Object::Kind;

// A state dict needs about 20 objects and 30 references for each tensor, so this is enough for
// 20,000 tensors; a file of one-byte opcodes can make us take 100 MB, and no more.
constexpr size_t kMaxStack = 1'000'000, kMaxMemo = 1'000'000;
constexpr size_t kMaxObjects = 500'000, kMaxReferences = 2'000'000;
constexpr size_t kMaxText = 64 << 10;
constexpr size_t kMaxNames = 1 << 20;  // bytes of all unknown names

class Machine {
 public:
  Machine(std::span<const uint8_t> bytes, size_t begin) : bytes_(bytes), at_(begin) {}

  Result<Pickle> run() {
    while (pickle_.root == nullptr) {
      opcode_at_ = at_;
      PENULT_ASSIGN_OR_RETURN(const uint64_t opcode, read_uint(1));
      PENULT_RETURN_IF_ERROR(execute(static_cast<uint8_t>(opcode)));
      if (stack_.size() > kMaxStack) return too_many(kMaxStack, "nested values");
      if (pickle_.objects.size() > kMaxObjects) return too_many(kMaxObjects, "values");
      if (references_ > kMaxReferences) return too_many(kMaxReferences, "references to values");
    }
    pickle_.end = at_;
    return std::move(pickle_);
  }

 private:
  Status corrupt(std::string_view message) const {
    return Status(StatusCode::kFormatCorrupt, concat("pickle at byte ", opcode_at_, ": ", message));
  }
  Status too_many(size_t limit, std::string_view what) const {
    return Status(StatusCode::kLimitExceeded,
                  concat("pickle at byte ", opcode_at_, ": more than ", limit, " ", what,
                         ", which no state dict has; save it alone: torch.save(model.state_dict(), "
                         "...)"));
  }
  Status at_opcode(const Status& status) const {
    return Status(status.code(), concat("pickle at byte ", opcode_at_, ": ", status.message()));
  }

  // --- input ---
  Result<std::span<const uint8_t>> take(uint64_t count) {
    if (count > bytes_.size() - at_) return corrupt("it ends within an opcode; is the file whole?");
    const auto taken = bytes_.subspan(at_, count);
    at_ += count;
    return taken;
  }
  Result<uint64_t> read_uint(size_t width) {
    PENULT_ASSIGN_OR_RETURN(const auto raw, take(width));
    uint64_t value = 0;
    for (size_t i = 0; i < width; ++i) value |= static_cast<uint64_t>(raw[i]) << (8 * i);
    return value;
  }
  Result<std::string> read_line() {
    const size_t begin = at_;
    while (at_ < bytes_.size() && bytes_[at_] != '\n' && at_ - begin <= kMaxText) ++at_;
    if (at_ >= bytes_.size() || bytes_[at_] != '\n') return corrupt("a line of text does not end");
    std::string line(bytes_.begin() + begin, bytes_.begin() + at_);
    ++at_;
    return line;
  }

  // --- stack: null is a mark ---
  Object& make(Kind kind) {
    Object& object = pickle_.objects.emplace_back();
    object.kind = kind;
    return object;
  }
  Object& push(Kind kind) {
    Object& object = make(kind);
    stack_.push_back(&object);
    return object;
  }
  Status push_int(int64_t value) {
    push(Kind::kInt).number = value;
    return {};
  }
  Result<Object*> pop() {
    if (stack_.empty() || stack_.back() == nullptr) return corrupt("it takes from an empty stack");
    Object* object = stack_.back();
    stack_.pop_back();
    return object;
  }
  Result<std::vector<Ref>> pop_to_mark() {
    size_t mark = stack_.size();
    while (mark > 0 && stack_[mark - 1] != nullptr) --mark;
    if (mark == 0) return corrupt("a mark is missing");
    std::vector<Ref> items(stack_.begin() + mark, stack_.end());
    stack_.resize(mark - 1);
    references_ += items.size();
    return items;
  }
  // Opaque containers take everything, and keep nothing.
  Result<Object*> top(Kind kind) {
    if (stack_.empty() || stack_.back() == nullptr ||
        (stack_.back()->kind != kind && stack_.back()->kind != Kind::kOpaque)) {
      return corrupt("an item is added to something that does not take it");
    }
    return stack_.back();
  }
  void add_items(std::initializer_list<Ref> items, Object& container) {
    if (container.kind == Kind::kOpaque) return;
    container.items.insert(container.items.end(), items);
    references_ += items.size();
  }

  // --- opcodes ---
  // Handlers take the row's argument: the width of a length or index, or what tells two opcodes
  // apart.
  struct Opcode {
    uint8_t code;
    Status (Machine::*run)(size_t argument);
    size_t argument;
  };
  // clang-format off
  static constexpr std::array<Opcode, 45> opcodes() {
    using M = Machine;
    return {{
        {0x80, &M::protocol, 0},     {0x95, &M::frame, 8},         {'(', &M::push_mark, 0},
        {'.', &M::stop, 0},          {'0', &M::drop, 0},           {'1', &M::drop_to_mark, 0},
        {'N', &M::push_none, 0},     {0x88, &M::push_bool, 1},     {0x89, &M::push_bool, 0},
        {'K', &M::integer, 1},       {'M', &M::integer, 2},        {'J', &M::integer, 4},
        {0x8a, &M::long_integer, 1}, {0x8b, &M::long_integer, 4},  {'G', &M::real, 8},
        {0x8c, &M::text, 1},         {'X', &M::text, 4},           {0x8d, &M::text, 8},
        {'U', &M::text, 1},          {'T', &M::text, 4},  // strings of Python 2
        {'C', &M::raw_bytes, 1},     {'B', &M::raw_bytes, 4},
        {')', &M::short_tuple, 0},   {0x85, &M::short_tuple, 1},   {0x86, &M::short_tuple, 2},
        {0x87, &M::short_tuple, 3},  {'t', &M::tuple_to_mark, 0},
        {']', &M::push_list, 0},     {'a', &M::append, 0},         {'e', &M::append_to_mark, 0},
        {'}', &M::push_dict, 0},     {'s', &M::set_item, 0},       {'u', &M::set_items_to_mark, 0},
        {'c', &M::global_line, 0},   {0x93, &M::global_from_stack, 0},
        {'R', &M::reduce, 0},        {0x81, &M::new_object, 0},    {0x92, &M::new_object, 1},
        {'b', &M::build, 0},          {'Q', &M::persistent_id, 0},
        {'q', &M::put, 1},           {'r', &M::put, 4},            {0x94, &M::memoize, 0},
        {'h', &M::get, 1},           {'j', &M::get, 4},
    }};
  }
  // clang-format on
  Status execute(uint8_t code) {
    static constexpr auto kOpcodes = opcodes();
    for (const Opcode& opcode : kOpcodes) {
      if (opcode.code == code) return (this->*opcode.run)(opcode.argument);
    }
    return Status(StatusCode::kFormatUnsupported,
                  concat("pickle at byte ", opcode_at_, ": opcode ", static_cast<int>(code),
                         " is not one that state dicts need; save a plain state_dict"));
  }

  Status frame(size_t width) { return take(width).status(); }
  Status push_mark(size_t) {
    stack_.push_back(nullptr);
    return {};
  }
  Status drop(size_t) { return pop().status(); }
  Status drop_to_mark(size_t) { return pop_to_mark().status(); }
  Status push_none(size_t) { return push(Kind::kNone), Status(); }
  Status push_bool(size_t value) {
    push(Kind::kBool).number = static_cast<int64_t>(value);
    return {};
  }
  Status push_list(size_t) { return push(Kind::kList), Status(); }
  Status push_dict(size_t) { return push(Kind::kDict), Status(); }
  Status protocol(size_t) {
    PENULT_ASSIGN_OR_RETURN(const uint64_t version, read_uint(1));
    if (version >= 2 && version <= 4) return {};
    return Status(
        StatusCode::kFormatUnsupported,
        concat("pickle at byte ", opcode_at_, ": protocol ", version, ", expected 2 to 4"));
  }
  Status stop(size_t) {
    PENULT_ASSIGN_OR_RETURN(pickle_.root, pop());
    return stack_.empty() ? Status() : corrupt("values are left over at its end");
  }
  Status integer(size_t width) {
    PENULT_ASSIGN_OR_RETURN(const uint64_t value, read_uint(width));
    return push_int(width == 4 ? static_cast<int32_t>(value) : static_cast<int64_t>(value));
  }
  Status long_integer(size_t width) {
    PENULT_ASSIGN_OR_RETURN(const uint64_t count, read_uint(width));
    // Longer ones occur only as torch's magic number: kept as bytes.
    if (count > 8) return raw_text(count, Kind::kBytes);
    PENULT_ASSIGN_OR_RETURN(uint64_t value, read_uint(count));
    if (count > 0 && count < 8 && (value >> (8 * count - 1) & 1) != 0)
      value |= ~uint64_t{0} << (8 * count);
    return push_int(static_cast<int64_t>(value));
  }
  // A learning rate or the like, saved beside the state dict: nothing that we use.
  Status real(size_t width) {
    PENULT_RETURN_IF_ERROR(take(width).status());
    return push(Kind::kFloat), Status();
  }
  Status text(size_t width) {
    PENULT_ASSIGN_OR_RETURN(const uint64_t count, read_uint(width));
    return raw_text(count, Kind::kText);
  }
  Status raw_bytes(size_t width) {
    PENULT_ASSIGN_OR_RETURN(const uint64_t count, read_uint(width));
    return raw_text(count, Kind::kBytes);
  }
  // Names are short. Arrays and logs beside a state dict may be long, and are nothing that we use.
  Status raw_text(uint64_t count, Kind kind) {
    PENULT_ASSIGN_OR_RETURN(const auto raw, take(count));
    if (count > kMaxText) return push(Kind::kOpaque).text = "text", Status();
    push(kind).text.assign(raw.begin(), raw.end());
    return {};
  }
  Status tuple_to_mark(size_t) {
    PENULT_ASSIGN_OR_RETURN(std::vector<Ref> items, pop_to_mark());
    push(Kind::kTuple).items = std::move(items);
    return {};
  }
  Status short_tuple(size_t count) {
    std::vector<Ref> items(count);
    for (size_t i = count; i-- > 0;) {
      PENULT_ASSIGN_OR_RETURN(items[i], pop());
    }
    references_ += count;
    push(Kind::kTuple).items = std::move(items);
    return {};
  }
  Status append(size_t) {
    PENULT_ASSIGN_OR_RETURN(const Ref item, pop());
    PENULT_ASSIGN_OR_RETURN(Object * list, top(Kind::kList));
    return add_items({item}, *list), Status();
  }
  Status append_to_mark(size_t) { return extend(Kind::kList); }
  Status set_items_to_mark(size_t) { return extend(Kind::kDict); }
  Status extend(Kind kind) {
    PENULT_ASSIGN_OR_RETURN(const std::vector<Ref> items, pop_to_mark());
    PENULT_ASSIGN_OR_RETURN(Object * container, top(kind));
    if (kind == Kind::kDict && items.size() % 2 != 0) return corrupt("a key without a value");
    if (container->kind == Kind::kOpaque) return {};
    container->items.insert(container->items.end(), items.begin(), items.end());
    return {};
  }
  Status set_item(size_t) {
    PENULT_ASSIGN_OR_RETURN(const Ref value, pop());
    PENULT_ASSIGN_OR_RETURN(const Ref key, pop());
    PENULT_ASSIGN_OR_RETURN(Object * dict, top(Kind::kDict));
    return add_items({key, value}, *dict), Status();
  }

  Status push_global(const std::string& module, const std::string& name) {
    std::string full = module + " " + name;
    const bool known = is_known_global(full);
    // Two long texts of the file could be joined again and again.
    if (!known && (name_bytes_ += full.size()) > kMaxNames) {
      return too_many(kMaxNames, "bytes of names");
    }
    push(known ? Kind::kGlobal : Kind::kOpaque).text = std::move(full);
    return {};
  }
  Status global_line(size_t) {
    PENULT_ASSIGN_OR_RETURN(const std::string module, read_line());
    PENULT_ASSIGN_OR_RETURN(const std::string name, read_line());
    return push_global(module, name);
  }
  Status global_from_stack(size_t) {
    PENULT_ASSIGN_OR_RETURN(const Ref name, pop());
    PENULT_ASSIGN_OR_RETURN(const Ref module, pop());
    if (name->kind != Kind::kText || module->kind != Kind::kText) {
      return corrupt("a name is not text");
    }
    return push_global(module->text, name->text);
  }
  Status reduce(size_t) {
    PENULT_ASSIGN_OR_RETURN(const Ref args, pop());
    PENULT_ASSIGN_OR_RETURN(Object * callable, pop());
    if (args->kind != Kind::kTuple) return corrupt("it calls something without a tuple");
    if (callable->kind == Kind::kOpaque) return stack_.push_back(callable), Status();
    if (callable->kind != Kind::kGlobal) {
      return corrupt("it calls something that is not a known function");
    }
    Object& result = make(Kind::kNone);
    const Status status = call_global(callable->text, args->items, result);
    if (!status.ok()) return at_opcode(status);
    // Calls copy what they are given: a few bytes could copy one long list again and again.
    references_ += result.items.size() + result.dims.size() + result.strides.size();
    stack_.push_back(&result);
    return {};
  }
  // What class.__new__(class, arguments) would make.
  Status new_object(size_t keywords) {
    for (size_t i = 0; i <= keywords; ++i) PENULT_RETURN_IF_ERROR(pop().status());
    PENULT_ASSIGN_OR_RETURN(Object * type, pop());
    if (type->kind == Kind::kOpaque) return stack_.push_back(type), Status();
    return Status(StatusCode::kFormatUnsupported,
                  concat("pickle at byte ", opcode_at_, ": it makes an object of ",
                         quote(type->text), ", as no state dict does"));
  }
  // The state of an OrderedDict is torch's version metadata, which carries no weights.
  Status build(size_t) {
    PENULT_ASSIGN_OR_RETURN(const Ref state, pop());
    PENULT_ASSIGN_OR_RETURN(const Object* target, top(Kind::kDict));
    if (target->kind == Kind::kOpaque) return {};
    return state->kind == Kind::kDict ? Status() : corrupt("a state that is not a dict");
  }
  Status persistent_id(size_t) {
    PENULT_ASSIGN_OR_RETURN(const Ref id, pop());
    Object& storage = make(Kind::kNone);
    const Status status = read_persistent_id(*id, storage);
    if (!status.ok()) return at_opcode(status);
    stack_.push_back(&storage);
    return {};
  }

  // --- memo ---
  Status remember(uint64_t index) {
    if (stack_.empty() || stack_.back() == nullptr) return corrupt("nothing to remember");
    // Writers number from 0, so a vector does, and no choice of numbers can make look-ups slow.
    if (index >= kMaxMemo) return too_many(kMaxMemo, "remembered values");
    if (index >= memo_.size()) memo_.resize(index + 1);
    if (memo_[index] == nullptr) ++remembered_;
    memo_[index] = stack_.back();
    return {};
  }
  Status memoize(size_t) { return remember(remembered_); }
  Status put(size_t width) {
    PENULT_ASSIGN_OR_RETURN(const uint64_t index, read_uint(width));
    return remember(index);
  }
  Status get(size_t width) {
    PENULT_ASSIGN_OR_RETURN(const uint64_t index, read_uint(width));
    if (index >= memo_.size() || memo_[index] == nullptr) {
      return corrupt(concat("memo entry ", index, " does not exist"));
    }
    stack_.push_back(memo_[index]);
    return {};
  }

  std::span<const uint8_t> bytes_;
  size_t at_, opcode_at_ = 0;
  std::vector<Object*> stack_;
  std::vector<Object*> memo_;  // null: not used
  size_t remembered_ = 0;      // entries of the memo that are used
  size_t references_ = 0;      // made so far, in tuples, lists, dicts and tensors
  size_t name_bytes_ = 0;      // of unknown names
  Pickle pickle_;
};

}  // namespace

std::string opaque_name(const Object& opaque) {
  Ref named = &opaque;
  while (!named->items.empty()) named = named->items[0];
  std::string name = named->text;
  if (const size_t space = name.rfind(' '); space != std::string::npos) name[space] = '.';
  return name;
}

Result<Pickle> read_pickle(std::span<const uint8_t> bytes, size_t begin) {
  if (begin > bytes.size()) return Status(StatusCode::kFormatCorrupt, "pickle: nothing there");
  return Machine(bytes, begin).run();
}

}  // namespace penult::converters
