// The proof that a request was allowed, and the handle by which this can be asked again.
#pragma once

#include "aceward/ace/rs/token_store.h"
#include "aceward/coap/layer.h"

namespace aceward::ace::rs {

/// The question "is this client still allowed to do this?" (architecture, contract 3). Kept by an observation or an
/// answer that is pending, and asked again with AccessControl::renew before each use. Names the channel, the key and
/// the request's target; grants nothing by itself. Copyable.
class Grant {
 public:
  const coap::Peer& peer() const { return peer_; }
  EntryId entry() const { return entry_; }

 private:
  friend class AccessControl;
  friend class AuthorizedRequest;
  Grant(const coap::Peer& peer, EntryId entry, const coap::Request& request)
      : peer_(peer), entry_(entry), method_(request.method), options_(request.options) {}

  coap::Peer peer_;
  EntryId entry_;
  coap::Code method_;
  coap::Options options_;
};

/// A request whose sender may do what it asks, at the moment at which this was made. Only AccessControl makes one. It
/// lives for the call that it is handed to: neither copied nor moved, so that nobody keeps it.
class AuthorizedRequest {
 public:
  AuthorizedRequest(const AuthorizedRequest&) = delete;
  AuthorizedRequest& operator=(const AuthorizedRequest&) = delete;

  const coap::Peer& peer() const { return peer_; }
  const coap::Request& request() const { return request_; }
  /// The client's key: what an application can tell clients apart by.
  EntryId entry() const { return entry_; }
  /// For what is done later in the name of this request.
  Grant grant() const { return {peer_, entry_, request_}; }

 private:
  friend class AccessControl;
  AuthorizedRequest(const coap::Peer& peer, const coap::Request& request, EntryId entry)
      : peer_(peer), request_(request), entry_(entry) {}

  const coap::Peer& peer_;
  const coap::Request& request_;
  EntryId entry_;
};

}  // namespace aceward::ace::rs
