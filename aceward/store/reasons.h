// Why store/ refuses.
#pragma once

#include "aceward/base/result.h"

namespace aceward::reason {

inline constexpr Reason store_unavailable{"store_unavailable", ErrorClass::internal,
                                          "the database cannot be opened, read or written now, or its queue is full",
                                          "check the path, the owner, the disk's health and how busy the server is"};
inline constexpr Reason store_full{"store_full", ErrorClass::internal, "the disk or the store's size limit is full",
                                   "free space, raise the limit, or remove expired tokens"};
inline constexpr Reason store_damaged{"store_damaged", ErrorClass::internal,
                                      "the database's contents contradict themselves",
                                      "restore a backup, and check the disk and the memory for errors"};
inline constexpr Reason store_newer{"store_newer", ErrorClass::internal,
                                    "the database was written by a newer release; it was left as it is",
                                    "run that release, or restore a backup from before the upgrade"};
inline constexpr Reason store_older{"store_older", ErrorClass::internal,
                                    "the database was written by an older release; it was left as it is",
                                    "make a copy of it, then run: aceward db migrate"};
inline constexpr Reason store_exists{"store_exists", ErrorClass::denied,
                                     "a file of this name is there, and it was left as it is",
                                     "choose another name, or move the file away"};
inline constexpr Reason store_foreign{"store_foreign", ErrorClass::internal,
                                      "the file is not a store of this program; it was left as it is",
                                      "check the path; a new store is made only where no file is"};
inline constexpr Reason store_exposed{"store_exposed", ErrorClass::internal,
                                      "others than its owner may read or write the file, which holds keys in the clear",
                                      "set its mode to 0600, and ask who may have read it"};
inline constexpr Reason store_locked{"store_locked", ErrorClass::internal, "another process keeps the database locked",
                                     "let the other command end, or stop what backs the file up"};
inline constexpr Reason record_missing{"record_missing", ErrorClass::denied,
                                       "no client, server, rule, token, request or audience has this name or number",
                                       "list what there is; names are compared octet by octet"};
inline constexpr Reason record_exists{"record_exists", ErrorClass::denied, "the name or number is taken",
                                      "choose another name, or change the record that has it"};
inline constexpr Reason record_audience_taken{"record_audience_taken", ErrorClass::denied,
                                              "another resource server has this audience, or it is a group audience",
                                              "give each resource server an audience that is not a group audience"};
inline constexpr Reason record_psk_identity_taken{"record_psk_identity_taken", ErrorClass::denied,
                                                  "another client or server has this pre-shared key identity",
                                                  "give each client and server an identity of its own"};
inline constexpr Reason record_certificate_name_taken{"record_certificate_name_taken", ErrorClass::denied,
                                                      "another client or server has this certificate name",
                                                      "give each device a certificate with a name of its own"};
inline constexpr Reason record_key_taken{"record_key_taken", ErrorClass::denied,
                                         "another client or server has this public key",
                                         "make a key pair for each device; one key names one device"};
inline constexpr Reason record_invalid{"record_invalid", ErrorClass::malformed,
                                       "a member of the record is missing, too long, or contradicts another",
                                       "the detail names the member; compare it with the documentation"};

}  // namespace aceward::reason
