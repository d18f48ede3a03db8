# The libraries outside the project under the names that our targets link, for the build and for those who link to what
# was installed.
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED COMPONENTS Crypto)
find_package(GnuTLS REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(gnutls REQUIRED QUIET IMPORTED_TARGET gnutls)
pkg_check_modules(sodium REQUIRED QUIET IMPORTED_TARGET libsodium)
