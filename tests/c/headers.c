#include <eve.h>
#include <eve_layout.h>

int main(void) { return eve_abi_version() == EVE_ABI_VERSION && EVE_L_EMPTY_MAP == 0x504 ? 0 : 1; }
