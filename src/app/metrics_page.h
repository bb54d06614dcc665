#pragma once

#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "domain/time.h"
#include "util/histogram.h"

namespace todo::app {

/// Collects metric families, in the order of their first sample, for a page in the text format of
/// Prometheus. Each family has one kind and one help text: those of its first sample.
class MetricsPage {
 public:
  using Labels = std::vector<prometheus::ClientMetric::Label>;

  void Gauge(std::string name, std::string help, double value, Labels labels = {});
  void Counter(std::string name, std::string help, double value, Labels labels = {});
  void Histogram(std::string name, std::string help, const util::HistogramValues& values,
                 Labels labels = {});

  std::string Text() const;

 private:
  void Add(prometheus::MetricType type, std::string name, std::string help,
           prometheus::ClientMetric metric, Labels labels);

  std::vector<prometheus::MetricFamily> families_;
};

inline double Number(std::uint64_t count) { return static_cast<double>(count); }
inline double Number(std::int64_t count) { return static_cast<double>(count); }

/// Zero without `then`, and when it is in the future.
double SecondsSince(std::optional<domain::Instant> then, domain::Instant now);

}  // namespace todo::app
