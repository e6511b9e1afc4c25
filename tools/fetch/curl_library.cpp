#include "tools/fetch/curl_library.h"

#include <dlfcn.h>

#include <string>

#include "engine/base/text.h"

namespace penult::fetch {
namespace {

constexpr unsigned kOldest = 0x075500;  // 7.85, the first with CURLOPT_PROTOCOLS_STR

Status unavailable(const std::string& why) {
  return {StatusCode::kNotFound,
          concat("libcurl 7.85 or newer is needed for a download: ", escape_name(why),
                 "; install it (apt-get install libcurl4)")};
}

// An open file, and the first name that it lacked.
struct Symbols {
  void* handle;
  const char* missing = nullptr;

  template <class Function>
  void take(Function* function, const char* name) {
    *function = reinterpret_cast<Function>(dlsym(handle, name));
    if (*function == nullptr && missing == nullptr) missing = name;
  }
};

}  // namespace

Result<Curl> open_curl(const char* file) {
  void* handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* error = dlerror();
    return unavailable(error != nullptr ? error : "dlopen failed");
  }
  Symbols symbols{handle};
  Curl curl{};
  symbols.take(&curl.global_init, "curl_global_init");
  symbols.take(&curl.version_info, "curl_version_info");
  symbols.take(&curl.init, "curl_easy_init");
  symbols.take(&curl.cleanup, "curl_easy_cleanup");
  symbols.take(&curl.setopt, "curl_easy_setopt");
  symbols.take(&curl.getinfo, "curl_easy_getinfo");
  symbols.take(&curl.perform, "curl_easy_perform");
  symbols.take(&curl.strerror, "curl_easy_strerror");
  symbols.take(&curl.append, "curl_slist_append");
  symbols.take(&curl.free_list, "curl_slist_free_all");
  symbols.take(&curl.url, "curl_url");
  symbols.take(&curl.url_cleanup, "curl_url_cleanup");
  symbols.take(&curl.url_set, "curl_url_set");
  symbols.take(&curl.url_get, "curl_url_get");
  symbols.take(&curl.free, "curl_free");
  if (symbols.missing != nullptr) return unavailable(concat(file, " has no ", symbols.missing));
  const curl_version_info_data* info = curl.version_info(CURLVERSION_NOW);
  if (info == nullptr || info->version_num < kOldest) {
    return unavailable(concat(file, " is version ", info != nullptr ? info->version : "unknown"));
  }
  if (curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    return unavailable(concat(file, " cannot be initialised"));
  }
  return curl;
}

}  // namespace penult::fetch
