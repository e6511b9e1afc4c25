#include "tools/fetch/transfer.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string_view>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "penult/version.h"
#include "tools/fetch/answer.h"

namespace penult::fetch {
namespace {

constexpr int kMaxRedirects = 5;
constexpr size_t kMaxHeaderBytes = 256 << 10;

using Next = Attempt::Next;

Attempt stop(StatusCode code, const std::string& why) { return {Next::kStop, Status(code, why)}; }
Attempt retry(const std::string& why, double wait_s = 0) {
  return {Next::kRetry, Status(StatusCode::kIo, why), wait_s, true};
}
Attempt no_network(const std::string& why) {
  return {Next::kStop, Status(StatusCode::kIo, why), 0, true};
}

// One request and what comes back. The part is written as it arrives.
class Exchange {
 public:
  Exchange(const Curl& curl, const Download& request, PartFile& part)
      : curl_(curl), request_(request), part_(part), asked_from_(part.size()) {}

  Attempt run(const std::string& url, const char* scheme, std::string& redirection);

 private:
  static size_t on_header(char* data, size_t, size_t bytes, void* self) {
    return static_cast<Exchange*>(self)->header({data, bytes});
  }
  static size_t on_body(char* data, size_t, size_t bytes, void* self) {
    return static_cast<Exchange*>(self)->body({reinterpret_cast<uint8_t*>(data), bytes});
  }
  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<Exchange*>(self)->progress();
  }
  size_t header(std::string_view line);
  size_t body(std::span<const uint8_t> bytes);
  int progress();

  void set_options(CURL* handle, const std::string& url, const char* scheme);
  // Whether the answer is the file, or the rest of it; said once, before its first byte.
  void begin();
  void begin_whole();
  void begin_rest();
  Attempt judge(CURLcode code);
  Attempt judge_status();
  void end(Attempt with) {
    if (!verdict_) verdict_ = std::move(with);
  }

  const Curl& curl_;
  const Download& request_;
  PartFile& part_;
  const uint64_t asked_from_;
  Answer answer_;
  bool begun_ = false, left_unread_ = false;
  uint64_t total_ = 0;
  std::optional<Attempt> verdict_;
  char error_[CURL_ERROR_SIZE] = "";
};

size_t Exchange::header(std::string_view line) {
  answer_.bytes += line.size();
  if (answer_.bytes > kMaxHeaderBytes) {
    end(stop(StatusCode::kLimitExceeded,
             concat("more than ", kMaxHeaderBytes, " bytes of header")));
    return 0;
  }
  read_header(line, answer_);
  return line.size();
}

void Exchange::begin_whole() {
  if (request_.bytes != 0 && answer_.length && *answer_.length != request_.bytes) {
    end(stop(StatusCode::kChecksumMismatch,
             concat("the server has ", *answer_.length, " bytes, expected ", request_.bytes)));
    return;
  }
  if (part_.size() > 0) {
    if (Status emptied = part_.restart(); !emptied.ok()) {
      end({Next::kStop, std::move(emptied)});
      return;
    }
  }
  part_.set_tag(answer_.tag);
  total_ = request_.bytes != 0 ? request_.bytes : answer_.length.value_or(0);
}

// Servers that know no If-Range say by another tag that the file is another one.
void Exchange::begin_rest() {
  const bool same = part_.tag().empty() || answer_.tag.empty() || answer_.tag == part_.tag();
  const bool fits =
      request_.bytes == 0 || !answer_.range_total || *answer_.range_total == request_.bytes;
  if (asked_from_ > 0 && answer_.range_begin == asked_from_ && same && fits) {
    total_ = request_.bytes != 0 ? request_.bytes : answer_.range_total.value_or(0);
    return;
  }
  Status emptied = part_.restart();
  end(emptied.ok() ? retry("the server sent another part of the file than was asked for")
                   : Attempt{Next::kStop, std::move(emptied)});
}

void Exchange::begin() {
  if (begun_) return;
  begun_ = true;
  if (answer_.status == 200) begin_whole();
  if (answer_.status == 206) begin_rest();
}

size_t Exchange::body(std::span<const uint8_t> bytes) {
  begin();
  if (verdict_) return 0;
  if (answer_.status != 200 && answer_.status != 206) {
    left_unread_ = true;  // what a refusal or a redirection says in words
    return 0;
  }
  const uint64_t limit = request_.bytes != 0 ? request_.bytes : request_.max_bytes;
  if (bytes.size() > limit - std::min(limit, part_.size())) {
    part_.discard();
    end(stop(StatusCode::kLimitExceeded,
             concat("the server sends more than ", limit, " bytes, which is ",
                    request_.bytes != 0 ? "the file's size" : "the most that is taken")));
    return 0;
  }
  Status written = part_.append(bytes);
  if (written.ok()) return bytes.size();
  end({Next::kStop, std::move(written)});
  return 0;
}

int Exchange::progress() {
  if (!request_.go_on || request_.go_on(part_.size(), total_)) return 0;
  end(stop(StatusCode::kCancelled, "interrupted"));
  return 1;
}

bool may_be_an_accident(CURLcode code) {
  switch (code) {
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return true;
    default:
      return false;
  }
}

Attempt Exchange::judge(CURLcode code) {
  if (verdict_) return std::move(*verdict_);
  if (code != CURLE_OK && !left_unread_) {
    const std::string why = escape_name(error_[0] != '\0' ? error_ : curl_.strerror(code));
    return may_be_an_accident(code) ? retry(why) : no_network(why);
  }
  begin();  // no body
  if (verdict_) return std::move(*verdict_);
  return judge_status();
}

Attempt Exchange::judge_status() {
  const int status = answer_.status;
  if (status == 200 || status == 206) {
    if (part_.size() >= std::max(request_.bytes, total_)) return {};
    return retry(concat("the server ended after ", part_.size(), " bytes"));
  }
  if (status == 416 && asked_from_ > 0) {  // there is nothing from there on
    if (Status emptied = part_.restart(); !emptied.ok()) return {Next::kStop, std::move(emptied)};
    return retry(concat("the server has no byte ", asked_from_));
  }
  const std::string what = concat("the server answers HTTP ", status);
  constexpr int kPassing[] = {408, 429, 500, 502, 503, 504};
  const bool passes =
      std::find(std::begin(kPassing), std::end(kPassing), status) != std::end(kPassing);
  return passes ? retry(what, answer_.retry_after_s) : no_network(what);
}

// An address that may be asked: its scheme. Anything else would hand the request to whoever listens
// on the way.
Result<const char*> check_address(const Curl& curl, const std::string& url) {
  const auto refused = [&](const char* why) {
    return Status(StatusCode::kFormatUnsupported,
                  concat("the address ", quote(url), " is not asked: ", why));
  };
  CURLU* parsed = curl.url();
  if (parsed == nullptr) return Status(StatusCode::kOutOfMemory, "no memory for an address");
  std::string scheme, host;
  const auto part = [&](CURLUPart which) {
    char* text = nullptr;
    std::string copy;
    if (curl.url_get(parsed, which, &text, 0) == CURLUE_OK) copy = text;
    curl.free(text);
    return copy;
  };
  if (curl.url_set(parsed, CURLUPART_URL, url.c_str(), CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK) {
    scheme = part(CURLUPART_SCHEME);
    host = part(CURLUPART_HOST);
  }
  curl.url_cleanup(parsed);
  if (host.empty() && scheme != "file") return refused("it is no URL");
  const bool loopback = host == "127.0.0.1" || host == "localhost" || host == "[::1]";
  if (scheme == "https") return "https";
  if (scheme == "http" && loopback) return "http";
  return refused("expected https, or http of this very machine");
}

// A C list, freed with the request that it belongs to.
struct Lines {
  const Curl& curl;
  curl_slist* list = nullptr;

  explicit Lines(const Curl& c) : curl(c) {}
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;
  ~Lines() { curl.free_list(list); }
  void add(const std::string& line) {
    curl_slist* longer = curl.append(list, line.c_str());
    if (longer != nullptr) list = longer;  // else the server is asked without it
  }
};

void Exchange::set_options(CURL* handle, const std::string& url, const char* scheme) {
  const auto set = [&](CURLoption option, auto value) { curl_.setopt(handle, option, value); };
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_PROTOCOLS_STR, scheme);
  if (std::string_view(scheme) == "http") set(CURLOPT_PROXY, "");  // this very machine
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_ERRORBUFFER, error_);
  set(CURLOPT_USERAGENT, concat("penult/", version()).c_str());
  set(CURLOPT_CONNECTTIMEOUT, request_.patience.connect_s);
  set(CURLOPT_LOW_SPEED_LIMIT, 1000L);
  set(CURLOPT_LOW_SPEED_TIME, request_.patience.stall_s);
  set(CURLOPT_HEADERFUNCTION, &Exchange::on_header);
  set(CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(CURLOPT_WRITEFUNCTION, &Exchange::on_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(this));
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &Exchange::on_progress);
  set(CURLOPT_XFERINFODATA, static_cast<void*>(this));
}

Attempt Exchange::run(const std::string& url, const char* scheme, std::string& redirection) {
  CURL* handle = curl_.init();
  if (handle == nullptr) return stop(StatusCode::kOutOfMemory, "no memory for a transfer");
  set_options(handle, url, scheme);
  Lines lines(curl_);
  const std::string range = concat(asked_from_, "-");
  if (asked_from_ > 0) {
    curl_.setopt(handle, CURLOPT_RANGE, range.c_str());
    if (!part_.tag().empty()) lines.add(concat("If-Range: ", part_.tag()));
  }
  curl_.setopt(handle, CURLOPT_HTTPHEADER, lines.list);
  const CURLcode code = curl_.perform(handle);
  const char* next = nullptr;
  if (answer_.status >= 300 && answer_.status < 400 && !verdict_ &&
      curl_.getinfo(handle, CURLINFO_REDIRECT_URL, &next) == CURLE_OK && next != nullptr) {
    redirection = next;
  }
  curl_.cleanup(handle);
  return judge(code);
}

}  // namespace

Attempt attempt(const Curl& curl, const Download& request, PartFile& part) {
  std::string url = request.url;
  std::string_view before = "http";
  for (int i = 0; i <= kMaxRedirects; ++i) {
    const auto scheme = check_address(curl, url);
    if (!scheme.ok()) return {Next::kStop, scheme.status()};
    if (before == "https" && *scheme != before) {
      return stop(StatusCode::kFormatUnsupported,
                  concat("a redirection from https to ", quote(url), " is not followed"));
    }
    before = *scheme;
    std::string redirection;
    Attempt ended = Exchange(curl, request, part).run(url, *scheme, redirection);
    if (redirection.empty()) {
      const Status& status = ended.status;
      if (status.ok()) return ended;
      const bool route_helps = ended.by_network && !request.otherwise.empty();
      const std::string route = route_helps ? concat("; or ", request.otherwise) : std::string();
      ended.status = {status.code(), concat(quote(url), ": ", status.message(), route)};
      return ended;
    }
    url = redirection;
  }
  return stop(StatusCode::kFormatUnsupported,
              concat(quote(request.url), ": more than ", kMaxRedirects, " redirections"));
}

}  // namespace penult::fetch
