#include "util/unicode.h"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/stringpiece.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <cstdint>
#include <stdexcept>

namespace todo::util {
namespace {

/// Draws nothing, although Unicode calls it a symbol like those beside it.
constexpr UChar32 kBrailleBlank = 0x2800;

bool IsVisible(UChar32 point) {
  if (point == kBrailleBlank || u_hasBinaryProperty(point, UCHAR_WHITE_SPACE) != 0 ||
      u_hasBinaryProperty(point, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) != 0) {
    return false;
  }
  // Format characters that are drawn, such as the Arabic number sign.
  if (u_hasBinaryProperty(point, UCHAR_PREPENDED_CONCATENATION_MARK) != 0) return true;
  return (U_GET_GC_MASK(point) & (U_GC_CC_MASK | U_GC_CF_MASK)) == 0;
}

bool IsInvisibleControl(char c) {
  constexpr std::string_view kSpace = "\t\n\v\f\r";
  return (static_cast<unsigned char>(c) < ' ' || c == '\x7f') &&
         kSpace.find(c) == std::string_view::npos;
}

}  // namespace

std::string FoldForSearch(std::string_view text) {
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* const fold = icu::Normalizer2::getNFKCCasefoldInstance(error);
  std::string folded;
  icu::StringByteSink<std::string> sink(&folded, static_cast<std::int32_t>(text.size()));
  if (U_SUCCESS(error)) {
    fold->normalizeUTF8(0, {text.data(), static_cast<std::int32_t>(text.size())}, sink, nullptr,
                        error);
  }
  // Not without ICU's data, which is a library beside it, or without memory.
  if (U_FAILURE(error)) throw std::runtime_error(u_errorName(error));
  std::erase_if(folded, IsInvisibleControl);
  return folded;
}

bool HasVisible(std::string_view text) {
  const icu::UnicodeString points =
      icu::UnicodeString::fromUTF8({text.data(), static_cast<std::int32_t>(text.size())});
  for (std::int32_t i = 0; i < points.length(); i = points.moveIndex32(i, 1)) {
    if (IsVisible(points.char32At(i))) return true;
  }
  return false;
}

}  // namespace todo::util
