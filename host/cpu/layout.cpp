#include <algorithm>

#include "host/cpu/builder.hpp"

namespace vultus::cpu {

bool has_wide_vectors() {
  static const bool wide = dnnl::get_effective_cpu_isa() >= dnnl::cpu_isa::avx512_core;
  return wide;
}

Desc row_major(const std::vector<int64_t>& dims) {
  dnnl::memory::dims strides(dims.size(), 1);
  for (size_t i = dims.size(); i-- > 1;)
    strides[i - 1] = strides[i] * std::max<int64_t>(dims[i], 1);
  return Desc(dims, dnnl::memory::data_type::f32, strides);
}

Family family_of(const Desc& desc) {
  auto dims = desc.dims();
  if (same_layout(desc, row_major(dims))) return Family::plain;
  if (dims.size() < 3 || dims.size() > 5) return Family::other;
  for (Family family : {Family::last, Family::blocked16, Family::blocked8})
    if (same_layout(desc, in_family(family, dims))) return family;
  return Family::other;
}

Desc in_family(Family family, const std::vector<int64_t>& dims) {
  using tag = dnnl::memory::format_tag;
  static constexpr tag kTags[3][3] = {{tag::nwc, tag::nCw8c, tag::nCw16c},
                                      {tag::nhwc, tag::nChw8c, tag::nChw16c},
                                      {tag::ndhwc, tag::nCdhw8c, tag::nCdhw16c}};
  assert(family != Family::other);
  if (family == Family::plain) return row_major(dims);
  size_t kind = family == Family::last ? 0 : family == Family::blocked8 ? 1 : 2;
  return Desc(dims, dnnl::memory::data_type::f32, kTags[dims.size() - 3][kind]);
}

Arrangement arrangement_of(Family family, const Shape& shape) {
  int64_t channels = shape[1], points = shape.elements() / (shape[0] * channels);
  switch (family) {
    case Family::last:
      return {shape[0], 1, points, channels};
    case Family::blocked8:
      return {shape[0], (channels + 7) / 8, points, 8};
    case Family::blocked16:
      return {shape[0], (channels + 15) / 16, points, 16};
    default:
      return {shape[0], channels, points, 1};
  }
}

bool same_layout(const Desc& a, const Desc& b) {
  if (a == b) return true;
  const dnnl_memory_desc_t &x = a.data, &y = b.data;
  if (x.ndims != y.ndims || x.data_type != y.data_type || x.offset0 != 0 || y.offset0 != 0 ||
      x.format_kind != dnnl_blocked || y.format_kind != dnnl_blocked ||
      x.extra.flags != y.extra.flags)
    return false;
  const dnnl_blocking_desc_t &u = x.format_desc.blocking, &v = y.format_desc.blocking;
  if (u.inner_nblks != v.inner_nblks) return false;
  for (int i = 0; i < u.inner_nblks; ++i)
    if (u.inner_blks[i] != v.inner_blks[i] || u.inner_idxs[i] != v.inner_idxs[i]) return false;
  for (int i = 0; i < x.ndims; ++i) {
    if (x.dims[i] != y.dims[i] || x.padded_dims[i] != y.padded_dims[i]) return false;
    if (x.padded_dims[i] != 1 && u.strides[i] != v.strides[i]) return false;
  }
  return true;
}

bool is_padded(const Desc& desc) {
  return !std::equal(desc.data.dims, desc.data.dims + desc.data.ndims, desc.data.padded_dims);
}

bool keeps_zero(const Epilogue& epilogue) {
  switch (epilogue.kind) {
    case Activation::sigmoid:
    case Activation::hard_sigmoid:
      return false;
    case Activation::clip:
      return epilogue.alpha <= 0 && epilogue.beta >= 0;
    default:
      return true;
  }
}

dnnl::primitive_attr attributes(const dnnl::post_ops& ops) {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  attr.set_post_ops(ops);
  return attr;
}

void append(dnnl::post_ops& ops, const Epilogue& epilogue) {
  using dnnl::algorithm;
  auto add = [&](algorithm kind, float alpha = 0, float beta = 0) {
    ops.append_eltwise(1.0f, kind, alpha, beta);
  };
  switch (epilogue.kind) {
    case Activation::none:
      return;
    case Activation::relu:
      return add(algorithm::eltwise_relu);
    case Activation::leaky_relu:
      return add(algorithm::eltwise_relu, epilogue.alpha);
    case Activation::sigmoid:
      return add(algorithm::eltwise_logistic);
    case Activation::silu:
      return add(algorithm::eltwise_swish, 1.0f);
    case Activation::clip:
      return add(algorithm::eltwise_clip, epilogue.alpha, epilogue.beta);
    case Activation::hard_sigmoid:
      add(algorithm::eltwise_linear, epilogue.alpha, epilogue.beta);
      return add(algorithm::eltwise_clip, 0.0f, 1.0f);
    case Activation::hard_swish:
      return add(algorithm::eltwise_hardswish);
    case Activation::tanh:
      return add(algorithm::eltwise_tanh);
  }
}

}  // namespace vultus::cpu
