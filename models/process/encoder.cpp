#include "models/process/encoder.hpp"

#include <utility>

namespace vultus {

Result<std::unique_ptr<Encoder>> Encoder::create(const std::string& path,
                                                 const WriterOptions& options,
                                                 face::StageTimes* times) {
  VULTUS_TRY(VideoWriter writer, VideoWriter::create(path, options));
  return std::unique_ptr<Encoder>(new Encoder(std::move(writer), times));
}

Encoder::Encoder(VideoWriter writer, face::StageTimes* times)
    : writer_(std::move(writer)), times_(times), thread_([this] { work(); }) {}

Encoder::~Encoder() {
  queue_.close();
  if (thread_.joinable()) thread_.join();
}

bool Encoder::push(cv::Mat bgr, int64_t pts, int64_t duration) {
  return queue_.push({std::move(bgr), pts, duration});
}

Result<WriteSummary> Encoder::finish() {
  queue_.close();
  thread_.join();
  VULTUS_CHECK(failure_);
  return writer_.finish();
}

void Encoder::work() {
  while (std::optional<Item> item = queue_.pop()) {
    face::StageTimes::Timer timer(times_, "encode");
    if (Result<void> written = writer_.write(item->bgr, item->pts, item->duration); !written) {
      failure_ = written;
      queue_.close();
      return;
    }
  }
}

}  // namespace vultus
