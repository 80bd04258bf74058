#include <eve.h>
#include <eve.hpp>

int main() { return eve_abi_version() == EVE_ABI_VERSION ? 0 : 1; }
