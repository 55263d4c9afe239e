#include "models/process/encoder.hpp"

#include <malloc.h>

#include <utility>

#include "models/process/guard.hpp"

namespace vultus {

std::unique_ptr<Encoder> Encoder::create(VideoWriter writer, face::StageTimes* times) {
  return std::unique_ptr<Encoder>(new Encoder(std::move(writer), times));
}

Encoder::Encoder(VideoWriter writer, face::StageTimes* times)
    : writer_(std::move(writer)), times_(times), thread_([this] { work(); }) {}

Encoder::~Encoder() {
  queue_.close();
  if (thread_.joinable()) thread_.join();
}

bool Encoder::push(const cv::Mat& bgr, int64_t pts, int64_t duration) {
  Result<CodablePicture> picture = [&] {
    face::StageTimes::Timer timer(times_, "convert");
    return writer_.convert(bgr);
  }();
  return queue_.push({std::move(picture), pts, duration, nullptr, 0});
}

void Encoder::mark(std::shared_ptr<Mark> mark, size_t part) {
  if (!queue_.push({CodablePicture(), 0, 0, mark, part})) mark->fail();
}

Result<void> Encoder::finish() {
  queue_.close();
  thread_.join();
  return failure_;
}

Result<void> Encoder::write(Item& item) {
  face::StageTimes::Timer timer(times_, "encode");
  if (!item.picture) return item.picture.error();
  if (!item.mark) return writer_.write(std::move(*item.picture), item.pts, item.duration);
  VULTUS_TRY(int64_t length, writer_.checkpoint());
  // The next encoder finds other gaps than those that this one leaves.
  malloc_trim(0);
  item.mark->reached(item.part, length);
  return {};
}

void Encoder::work() {
  while (std::optional<Item> item = queue_.pop()) {
    if (failure_) failure_ = guarded([&] { return write(*item); });
    if (failure_) continue;
    queue_.close();
    if (item->mark) item->mark->fail();
  }
}

}  // namespace vultus
