#include "apps/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "apps/common.hpp"

namespace vultus::app {

namespace {

std::string duration(double seconds) {
  auto s = static_cast<int64_t>(seconds + 0.5);
  return s >= 3600 ? fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60)
                   : fmt::format("{}:{:02}", s / 60, s % 60);
}

}  // namespace

ProgressDisplay::ProgressDisplay(Style style)
    : style_(style), terminal_(isatty(STDERR_FILENO) == 1) {
  if (style == Style::automatic && !terminal_) style_ = Style::plain;
}

void ProgressDisplay::begin(const std::string& input, size_t index, size_t count) {
  input_ = input;
  index_ = index;
  count_ = count;
  last_shown_ = Clock::now();
  samples_.assign(1, {last_shown_, 0});
}

double ProgressDisplay::rate() const {
  const Sample &first = samples_.front(), &last = samples_.back();
  double seconds = std::chrono::duration<double>(last.when - first.when).count();
  return seconds > 0 ? static_cast<double>(last.frames - first.frames) / seconds : 0;
}

void ProgressDisplay::update(int64_t frames, int64_t total) {
  using std::chrono::milliseconds;
  auto now = Clock::now();
  samples_.push_back({now, frames});
  while (samples_.size() > 2 && now - samples_.front().when > std::chrono::seconds(30))
    samples_.pop_front();
  auto interval = style_ == Style::plain ? milliseconds(10000) : milliseconds(100);
  if (style_ == Style::none || (now - last_shown_ < interval && frames != total)) return;
  last_shown_ = now;
  double fps = rate();
  double left = fps > 0 && total > frames ? static_cast<double>(total - frames) / fps : 0;
  if (style_ == Style::json) {
    Json line{{"input", input_},
              {"index", index_ + 1},
              {"count", count_},
              {"frames", frames},
              {"fps", fps}};
    line["total"] = total > 0 ? Json(total) : Json(nullptr);
    line["seconds_left"] = total > 0 && fps > 0 ? Json(left) : Json(nullptr);
    fmt::print(stderr, "{}\n", line.dump(-1, ' ', false, Json::error_handler_t::replace));
    return;
  }
  std::string text = fmt::format("[{}/{}] {}  frame {}", index_ + 1, count_,
                                 std::filesystem::path(input_).filename().string(), frames);
  if (total > 0)
    text += fmt::format(" of {} ({:.0f} %)", total,
                        100.0 * static_cast<double>(frames) / static_cast<double>(total));
  text += fmt::format(", {:.1f} frames/s", fps);
  if (total > frames && fps > 0) text += fmt::format(", {} left", duration(left));
  if (style_ == Style::plain) {
    fmt::print(stderr, "{}\n", text);
  } else {
    fmt::print(stderr, "\r\033[K{}", text);
    line_open_ = true;
  }
  std::fflush(stderr);
}

void ProgressDisplay::end() {
  if (line_open_) fmt::print(stderr, "\r\033[K");
  line_open_ = false;
  std::fflush(stderr);
}

}  // namespace vultus::app
