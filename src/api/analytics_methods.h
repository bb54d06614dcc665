#pragma once

#include "api/method.h"
#include "service/analytics/usage_service.h"

namespace todo::api {

/// The methods of `todo.v1.AnalyticsService`. `usage` must outlive the table that is built from
/// them.
ServiceDefinition MakeAnalyticsMethods(service::UsageService& usage);

}  // namespace todo::api
