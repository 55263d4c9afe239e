#include <algorithm>

#include "host/cpu/builder.hpp"

namespace vultus::cpu {

Desc row_major(const std::vector<int64_t>& dims) {
  dnnl::memory::dims strides(dims.size(), 1);
  for (size_t i = dims.size(); i-- > 1;)
    strides[i - 1] = strides[i] * std::max<int64_t>(dims[i], 1);
  return Desc(dims, dnnl::memory::data_type::f32, strides);
}

int channel_block(const Desc& desc) {
  if (desc == row_major(desc.dims())) return 1;
  auto dims = desc.dims();
  using tag = dnnl::memory::format_tag;
  tag eight = tag::undef, sixteen = tag::undef;
  if (dims.size() == 3) eight = tag::nCw8c, sixteen = tag::nCw16c;
  if (dims.size() == 4) eight = tag::nChw8c, sixteen = tag::nChw16c;
  if (dims.size() == 5) eight = tag::nCdhw8c, sixteen = tag::nCdhw16c;
  if (eight == tag::undef) return 0;
  if (desc == Desc(dims, dnnl::memory::data_type::f32, sixteen)) return 16;
  if (desc == Desc(dims, dnnl::memory::data_type::f32, eight)) return 8;
  return 0;
}

bool is_padded(const Desc& desc) {
  return desc.get_size() !=
         row_major(desc.dims()).get_size();  // blocked layouts pad nothing but channels
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
