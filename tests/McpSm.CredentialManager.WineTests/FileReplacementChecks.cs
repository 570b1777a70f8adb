using McpSm.Core.Files;
using static McpSm.CredentialManager.WineTests.CheckRunner;

namespace McpSm.CredentialManager.WineTests;

/// <summary>Checks that a file can be replaced while others read it: Windows refuses both if the sharing modes are wrong.</summary>
internal static class FileReplacementChecks
{
    public static Task RunAsync(CheckRunner checks) =>
        checks.CheckAsync("a file is replaced while two threads read it: no call fails, and every read is complete", async test =>
        {
            var path = test.Home.PathOf("facts");
            var contents = Enumerable.Range(0, 4).Select(i => Enumerable.Repeat((byte)i, 20_000 + i).ToArray()).ToList();
            AtomicFile.Replace(path, contents[0]);
            using var stop = new CancellationTokenSource();
            var readers = Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
            {
                var reads = 0;
                for (; !stop.IsCancellationRequested; reads++)
                {
                    var read = AtomicFile.Read(path)!;
                    That(read.AsSpan().SequenceEqual(contents[read.Length - 20_000]), "every read is complete");
                    // Two readers without a pause would keep the file open nearly always and starve the writer on a busy machine.
                    Thread.Sleep(1);
                }
                return reads;
            })));
            try
            {
                for (var i = 0; i < 300; i++)
                {
                    AtomicFile.Replace(path, contents[i % contents.Count]);
                }
            }
            finally
            {
                stop.Cancel();
            }
            That((await readers).Sum() > 300, "the threads read during the writes");
        });
}
