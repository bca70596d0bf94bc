import asyncio
from pathlib import Path

from masker.kept_kernels import KeptKernel, keep_kernels
from masker.warm import warm_all
from pdp.masking.warming import Warming
from tests.parts import TOOL_CACHE


async def test_kernels_are_kept_in_the_servers_folder(tmp_path: Path) -> None:
    await asyncio.to_thread(warm_all)  # from the folder of the tests
    warming = Warming(tmp_path)
    assert not await warming.is_done()
    try:
        warming.start()
        async with asyncio.timeout(60):
            while not await warming.is_done():
                await asyncio.sleep(0.01)
        assert KeptKernel.folder is not None
        KeptKernel.folder.write("a", b"kernel")
        assert [file.name for file in tmp_path.glob("kernels-*/*")] == ["a"]
    finally:
        keep_kernels(TOOL_CACHE)
