#include "host/cpu/builder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "host/cpu/kernels.hpp"
#include "host/plan/arena.hpp"

namespace vultus::cpu {

namespace {

// Cache line, and the width of an AVX-512 register.
constexpr int64_t kAlignment = 64;

}  // namespace

Builder::Builder(const Graph& graph, const PartitionSpec& spec, const dnnl::engine& engine,
                 ConvWish wish, std::shared_ptr<Workspace> workspace)
    : graph_(graph),
      spec_(spec),
      engine_(engine),
      wish_(std::move(wish)),
      workspace_(std::move(workspace)),
      packing_(engine),
      rows_(std::make_shared<std::map<ValueId, int64_t>>()) {
  for (size_t i = 0; i < spec.nodes.size(); ++i) {
    position_[spec.nodes[i]] = static_cast<int>(i);
    for (ValueId v : node(spec.nodes[i]).inputs)
      if (v != kNoValue) last_reader_[v] = static_cast<int>(i);
  }
  // Inputs stay for the next run and outputs for the caller: nobody may write over them.
  for (ValueId v : spec.inputs)
    last_reader_[v] = static_cast<int>(spec.nodes.size());
  for (ValueId v : spec.outputs)
    last_reader_[v] = static_cast<int>(spec.nodes.size());
  int64_t all = 0, winograd = 0;
  for (NodeId id : spec.nodes) {
    int64_t work = macs(graph, node(id));
    all += work;
    if (prefers_winograd(graph, node(id))) winograd += work;
  }
  prefers_blocked_ = winograd * 4 > all;
  for (ValueId v : spec.inputs) {
    Desc desc = plain_desc(v);
    int32_t buffer = new_buffer(static_cast<int64_t>(desc.get_size()));
    buffers_.back().pinned = true;
    at_hand_[v] = {{buffer, desc}};
    holds(buffer, v);
    if (graph.value(v).dynamic_rows) (*rows_)[v] = shape(v)[0];
  }
  declare_shared();
}

void Builder::declare_shared() {
  for (const PartitionSpec::Shared& shared : spec_.shared) {
    const Desc desc = plain_desc(shared.value);
    const int32_t buffer = new_buffer(static_cast<int64_t>(desc.get_size()));
    buffers_.back().constant = true;  // only read, and not in the arena
    buffers_.back().shared = dynamic_cast<const HostBytes*>(shared.bytes);
    at_hand_[shared.value] = {{buffer, desc}};
    holds(buffer, shared.value);
    last_reader_[shared.value] = static_cast<int>(spec_.nodes.size());
  }
}

bool Builder::is_dense_f32(NodeId id) const {
  auto good = [&](ValueId v) {
    // Constants of other types are sizes and the like, which operators read while building.
    if (v == kNoValue || graph_.constant(v)) return true;
    const Value& value = graph_.value(v);
    return value.dtype == DType::f32 && !value.dynamic_rows && value.shape.elements() > 0;
  };
  return std::ranges::all_of(node(id).inputs, good) && std::ranges::all_of(node(id).outputs, good);
}

std::optional<NodeId> Builder::only_reader(ValueId value) const {
  auto last = last_reader_.find(value);
  if (last == last_reader_.end() || last->second >= static_cast<int>(spec_.nodes.size())) return {};
  const NodeId reader = spec_.nodes[static_cast<size_t>(last->second)];
  const Value& v = graph_.value(value);
  // Between the producer and the last reader there is no other.
  for (int i = position_.at(v.producer) + 1; i < last->second; ++i)
    if (std::ranges::count(node(spec_.nodes[static_cast<size_t>(i)]).inputs, value) > 0) return {};
  if (std::ranges::count(node(reader).inputs, value) != 1) return {};
  return reader;
}

Desc Builder::plain_desc(ValueId value) const {
  const Value& v = graph_.value(value);
  if (v.dtype == DType::f32) {
    if (v.shape.rank() == 0) return row_major({1});
    return row_major({v.shape.begin(), v.shape.end()});
  }
  int64_t bytes = v.shape.elements() * static_cast<int64_t>(size_of(v.dtype));
  return Desc({bytes}, dnnl::memory::data_type::u8, dnnl::memory::format_tag::a);
}

Desc Builder::layout(ValueId value) const {
  auto it = at_hand_.find(value);
  return it == at_hand_.end() ? plain_desc(value) : it->second.front().desc;
}

int32_t Builder::new_buffer(int64_t bytes) {
  buffers_.emplace_back().bytes = bytes;
  return static_cast<int32_t>(buffers_.size()) - 1;
}

void Builder::holds(int32_t buffer, ValueId value) {
  for (int32_t b = buffer; b >= 0; b = buffers_[static_cast<size_t>(b)].parent)
    buffers_[static_cast<size_t>(b)].values.push_back(value);
}

std::pair<int32_t, int64_t> Builder::root(int32_t buffer) const {
  int64_t offset = 0;
  const Buffer* b = &buffers_[static_cast<size_t>(buffer)];
  while (b->parent >= 0) {
    offset += b->offset;
    buffer = b->parent;
    b = &buffers_[static_cast<size_t>(buffer)];
  }
  return {buffer, offset};
}

Operand Builder::input(ValueId value, const Desc& wanted) {
  if (graph_.value(value).constant) return constant(value, plain_desc(value), wanted);
  std::vector<Operand>& ways = at_hand_[value];
  for (const Operand& way : ways)
    if (same_layout(way.desc, wanted)) return {way.buffer, wanted};
  assert(!ways.empty());
  Operand to = reordered(ways.front(), wanted);
  holds(to.buffer, value);
  ways.push_back(to);
  return to;
}

Operand Builder::reordered(const Operand& from, const Desc& wanted) {
  if (same_layout(from.desc, wanted)) return {from.buffer, wanted};
  Operand to{new_buffer(static_cast<int64_t>(wanted.get_size())), wanted};
  dnnl::reorder::primitive_desc pd(engine_, from.desc, engine_, to.desc, attributes());
  add(-1, dnnl::reorder(pd), pd.scratchpad_desc(), {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}});
  steps_.back().reorder = true;
  return to;
}

Operand Builder::output(ValueId value, const Desc& desc) {
  return output_in(value, desc, {new_buffer(static_cast<int64_t>(desc.get_size())), desc});
}

Operand Builder::output_in(ValueId value, const Desc& desc, const Operand& of) {
  Operand operand{of.buffer, desc};
  holds(of.buffer, value);
  at_hand_[value] = {operand};
  return operand;
}

Operand Builder::output_over(NodeId id, ValueId value, const Desc& desc, const Operand& of) {
  return may_overwrite(of, id) ? output_in(value, desc, of) : output(value, desc);
}

bool Builder::may_overwrite(const Operand& operand, NodeId id) const {
  const Buffer& buffer = buffers_[static_cast<size_t>(operand.buffer)];
  if (buffer.constant || buffer.pinned || buffer.parent >= 0) return false;
  int now = position_.at(id);
  return std::ranges::all_of(buffer.values, [&](ValueId v) {
    auto it = last_reader_.find(v);
    return it == last_reader_.end() || it->second <= now;
  });
}

bool Builder::place_inside(const Operand& part, const Operand& whole, int64_t offset_bytes) {
  Buffer& child = buffers_[static_cast<size_t>(part.buffer)];
  if (child.constant || child.pinned || child.parent >= 0 || part.buffer == whole.buffer)
    return false;
  // A larger buffer has other contents behind the part.
  if (child.bytes != static_cast<int64_t>(part.desc.get_size())) return false;
  child.parent = whole.buffer;
  child.offset = offset_bytes;
  for (ValueId v : std::vector<ValueId>(child.values))
    holds(whole.buffer, v);
  return true;
}

Operand Builder::constant_at(const std::byte* bytes, const Desc& from, const Desc& to) {
  const auto size = static_cast<int64_t>(to.get_size());
  const int32_t buffer = new_buffer(size);
  buffers_.back().constant = true;
  if (from == to)
    // Never written: operands of constants are only read.
    buffers_.back().address = const_cast<std::byte*>(bytes);
  else
    buffers_.back().packed = packing_.add(bytes, from, to);
  weight_bytes_ += size;
  return {buffer, to};
}

Operand Builder::constant(ValueId value, const Desc& from, const Desc& to) {
  std::vector<Constant>& known = constants_[value];
  for (const Constant& c : known)
    if (c.from == from && c.to == to) return c.operand;
  if (from == to) in_place_.insert(value);
  known.push_back({from, to, constant_at(graph_.value(value).constant->bytes(), from, to)});
  return known.back().operand;
}

Operand Builder::constant(Tensor tensor, const Desc& from, const Desc& to) {
  std::vector<Tensor>& list = from == to ? weights_ : sources_;
  list.push_back(std::move(tensor));
  return constant_at(list.back().bytes(), from, to);
}

Operand Builder::scratch(int64_t bytes) {
  return {new_buffer(bytes),
          Desc({bytes}, dnnl::memory::data_type::u8, dnnl::memory::format_tag::a)};
}

void Builder::add(NodeId id, const dnnl::primitive& primitive, const Desc& scratchpad,
                  std::vector<Argument> arguments) {
  if (scratchpad.get_size() > 0) {
    Operand memory{new_buffer(static_cast<int64_t>(scratchpad.get_size())), scratchpad};
    arguments.push_back({DNNL_ARG_SCRATCHPAD, memory});
  }
  Step step;
  step.node = id;
  step.primitive = primitive;
  step.operands = std::move(arguments);
  steps_.push_back(std::move(step));
}

void Builder::add(NodeId id, std::vector<Operand> operands, Kernel kernel) {
  Step step;
  step.node = id;
  step.kernel = std::move(kernel);
  for (Operand& operand : operands)
    step.operands.push_back({0, std::move(operand)});
  steps_.push_back(std::move(step));
}

void Builder::add_activation(NodeId id, const Epilogue& epilogue, const Operand& from,
                             const Operand& to) {
  dnnl::post_ops chain;
  append(chain, epilogue);
  for (int i = 0; i < chain.len(); ++i) {
    dnnl::algorithm kind = dnnl::algorithm::undef;
    float scale = 1, alpha = 0, beta = 0;
    chain.get_params_eltwise(i, scale, kind, alpha, beta);
    dnnl::eltwise_forward::primitive_desc pd(
        {dnnl::prop_kind::forward_inference, kind, to.desc, alpha, beta}, attributes(), engine_);
    add(id, dnnl::eltwise_forward(pd), pd.scratchpad_desc(),
        {{DNNL_ARG_SRC, i == 0 ? from : to}, {DNNL_ARG_DST, to}});
  }
}

Result<void> Builder::build_nodes() {
  for (NodeId id : spec_.nodes) {
    // An earlier step may have given its results.
    if (at_hand_.contains(node(id).outputs[0])) continue;
    const Op* op = find_op(node(id).op);
    size_t first = steps_.size();
    try {
      if (op && op->build && is_dense_f32(id)) {
        VULTUS_CHECK(op->build(*this, id));
      } else {
        VULTUS_CHECK(add_plain(id));
      }
    } catch (const dnnl::error& error) {
      return Error{Errc::internal,
                   fmt::format("{}: oneDNN refused it ({})", describe(node(id)), error.message)};
    }
    move_to_expected_layouts();
    for (size_t i = first; i < steps_.size(); ++i)
      steps_[i].node = id;
  }
  return {};
}

void Builder::move_to_expected_layouts() {
  for (auto it = expected_.begin(); it != expected_.end();) {
    auto found = at_hand_.find(it->first);
    if (found == at_hand_.end()) {
      ++it;
      continue;
    }
    const Operand moved = input(it->first, it->second);
    std::vector<Operand>& ways = found->second;
    if (!same_layout(ways.front().desc, moved.desc)) ways.insert(ways.begin(), moved);
    it = expected_.erase(it);
  }
}

std::string Builder::name_of_block(size_t buffer, int first_step) const {
  std::vector<ValueId> values;
  for (ValueId v : buffers_[buffer].values)
    if (std::ranges::find(values, v) == values.end()) values.push_back(v);
  constexpr size_t kMost = 3;
  std::string name;
  for (size_t i = 0; i < std::min(kMost, values.size()); ++i)
    name += (i > 0 ? ", " : "") + graph_.value(values[i]).name;
  if (values.size() > kMost) name += fmt::format(" and {} more", values.size() - kMost);
  if (!values.empty()) return name;
  const NodeId user = steps_[static_cast<size_t>(first_step)].node;
  return user < 0 ? "scratch" : fmt::format("scratch of {}", describe(node(user)));
}

Result<void> Builder::plan_memory(Program& program) {
  int last_step = static_cast<int>(steps_.size());
  std::vector<Lifetime> lifetimes(buffers_.size(), {0, last_step, -1});
  auto use = [&](int32_t buffer, int step) {
    Lifetime& l = lifetimes[static_cast<size_t>(root(buffer).first)];
    l.first = std::min(l.first, step);
    l.last = std::max(l.last, step);
  };
  for (int i = 0; i < last_step; ++i)
    for (const Argument& a : steps_[static_cast<size_t>(i)].operands)
      use(a.operand.buffer, i);
  for (size_t b = 0; b < buffers_.size(); ++b) {
    if (!buffers_[b].pinned) continue;
    use(static_cast<int32_t>(b), 0);
    use(static_cast<int32_t>(b), last_step);
  }
  for (size_t b = 0; b < buffers_.size(); ++b) {
    Lifetime& l = lifetimes[b];
    if (buffers_[b].parent >= 0 || buffers_[b].constant || l.last < l.first) continue;
    l.bytes = buffers_[b].bytes;
    program.stats.unplanned_bytes += l.bytes;
  }
  ArenaPlan plan = plan_arena(lifetimes, kAlignment);
  program.stats.arena_bytes = plan.bytes;
  for (size_t b = 0; b < buffers_.size(); ++b)
    if (const Lifetime& l = lifetimes[b]; l.bytes > 0)
      program.memory.push_back(
          {name_of_block(b, l.first), plan.offsets[b], l.bytes, l.first, l.last});
  std::ranges::sort(program.memory, {},
                    [](const MemoryBlock& b) { return std::pair(b.offset, b.first); });
  if (workspace_ && static_cast<size_t>(plan.bytes) <= workspace_->size())
    program.workspace = workspace_;
  else
    program.arena = Tensor(DType::u8, {plan.bytes});
  std::byte* base = program.workspace ? program.workspace->data() : program.arena.bytes();
  for (size_t b = 0; b < buffers_.size(); ++b)
    if (!buffers_[b].constant && buffers_[b].parent < 0)
      buffers_[b].address = base + plan.offsets[b];
  return {};
}

void Builder::bind(Program& program) {
  auto address = [&](int32_t buffer) {
    auto [base, offset] = root(buffer);
    return buffers_[static_cast<size_t>(base)].address + offset;
  };
  for (size_t s = 0; s < steps_.size(); ++s) {
    Step& step = steps_[s];
    for (size_t i = 0; i < step.operands.size(); ++i) {
      const Argument& a = step.operands[i];
      std::byte* bytes = address(a.operand.buffer);
      if (const HostBytes* shared = buffers_[static_cast<size_t>(a.operand.buffer)].shared)
        program.shared.push_back({s, i, shared});
      if (step.kernel) {
        step.addresses.push_back(bytes);
      } else {
        step.memories.emplace_back(a.operand.desc, engine_, bytes);
        step.arguments.push_back({a.index, step.memories.back().get()});
      }
    }
    program.stats.dispatches += 1;
    program.stats.reorders += step.reorder ? 1 : 0;
  }
  for (ValueId v : spec_.inputs)
    program.inputs[v] = address(at_hand_.at(v).front().buffer);
  for (ValueId v : spec_.outputs)
    program.outputs[v] = address(plain(v).buffer);
}

Result<Program> Builder::finish() {
  Program program;
  VULTUS_CHECK(build_nodes());
  for (ValueId v : spec_.outputs) {
    Operand operand = plain(v);
    buffers_[static_cast<size_t>(operand.buffer)].pinned = true;
    if (!steps_.empty() && steps_.back().node < 0) steps_.back().node = graph_.value(v).producer;
  }
  VULTUS_CHECK(plan_memory(program));
  weights_.push_back(packing_.run());
  for (Buffer& buffer : buffers_)
    if (buffer.packed) buffer.address = packing_.at(*buffer.packed);
  bind(program);
  program.stats.weight_bytes = weight_bytes_;
  program.steps = std::move(steps_);
  program.weights = std::move(weights_);
  program.in_place = std::move(in_place_);
  for (const ConvChoice& choice : choices_) {
    program.stats.choices += 1;
    program.stats.timed_choices += choice.timed ? 1 : 0;
    program.stats.changed_choices += choice.changed ? 1 : 0;
  }
  program.choices = std::move(choices_);
  program.rows = rows_;
  return program;
}

}  // namespace vultus::cpu
