#include "api/call_figures.h"

#include <utility>

namespace todo::api {
namespace {

constexpr std::array<double, 12> kBounds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                            0.1,   0.25,   0.5,   1.0,  2.5,   10.0};

}  // namespace

CallFigures::CallFigures() {
  for (auto& histogram : by_code_) histogram = std::make_unique<util::Histogram>(kBounds);
}

void CallFigures::Note(absl::StatusCode code, std::chrono::microseconds time) {
  auto index = static_cast<std::size_t>(code);
  if (index >= kCodes) index = static_cast<std::size_t>(absl::StatusCode::kUnknown);
  by_code_[index]->Note(time);
}

std::map<absl::StatusCode, util::HistogramValues> CallFigures::Read() const {
  std::map<absl::StatusCode, util::HistogramValues> figures;
  for (std::size_t i = 0; i < kCodes; ++i) {
    util::HistogramValues values = by_code_[i]->Read();
    if (values.count() > 0) figures.emplace(static_cast<absl::StatusCode>(i), std::move(values));
  }
  return figures;
}

void CallTimer::Stop(absl::StatusCode code) {
  if (stopped_.exchange(true) || figures_ == nullptr) return;
  figures_->Note(code, std::chrono::duration_cast<std::chrono::microseconds>(
                           std::chrono::steady_clock::now() - begin_));
}

}  // namespace todo::api
