#include "app/metrics_page.h"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <limits>
#include <utility>

namespace todo::app {

void MetricsPage::Gauge(std::string name, std::string help, double value, Labels labels) {
  prometheus::ClientMetric metric;
  metric.gauge.value = value;
  Add(prometheus::MetricType::Gauge, std::move(name), std::move(help), std::move(metric),
      std::move(labels));
}

void MetricsPage::Counter(std::string name, std::string help, double value, Labels labels) {
  prometheus::ClientMetric metric;
  metric.counter.value = value;
  Add(prometheus::MetricType::Counter, std::move(name), std::move(help), std::move(metric),
      std::move(labels));
}

void MetricsPage::Histogram(std::string name, std::string help, const util::HistogramValues& values,
                            Labels labels) {
  prometheus::ClientMetric metric;
  std::uint64_t count = 0;
  for (std::size_t i = 0; i <= values.bounds.size(); ++i) {
    if (i < values.counts.size()) count += values.counts[i];
    const bool last = i == values.bounds.size();
    metric.histogram.bucket.push_back(
        {.cumulative_count = count,
         .upper_bound = last ? std::numeric_limits<double>::infinity() : values.bounds[i]});
  }
  metric.histogram.sample_count = count;
  metric.histogram.sample_sum = values.sum_seconds;
  Add(prometheus::MetricType::Histogram, std::move(name), std::move(help), std::move(metric),
      std::move(labels));
}

std::string MetricsPage::Text() const { return prometheus::TextSerializer().Serialize(families_); }

void MetricsPage::Add(prometheus::MetricType type, std::string name, std::string help,
                      prometheus::ClientMetric metric, Labels labels) {
  metric.label = std::move(labels);
  auto family = std::ranges::find(families_, name, &prometheus::MetricFamily::name);
  if (family == families_.end())
    family = families_.insert(family, {std::move(name), std::move(help), type, {}});
  family->metric.push_back(std::move(metric));
}

double SecondsSince(std::optional<domain::Instant> then, domain::Instant now) {
  return then ? std::max(0.0, std::chrono::duration<double>(now - *then).count()) : 0;
}

}  // namespace todo::app
