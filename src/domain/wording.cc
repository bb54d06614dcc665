#include "domain/wording.h"

namespace todo::domain {

void CheckWording(const Wording&, std::string_view, std::vector<util::FieldViolation>&) {}

}  // namespace todo::domain
