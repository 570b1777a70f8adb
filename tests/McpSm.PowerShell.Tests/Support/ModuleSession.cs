using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Reflection;
using McpSm.TestServers;

namespace McpSm.PowerShell.Tests.Support;

/// <summary>A real runspace with the built module and a new configuration folder.</summary>
public sealed class ModuleSession : IDisposable
{
    /// <summary>The manifest of the built module, or of an installed one in a child process.</summary>
    public static readonly string Module = Environment.GetEnvironmentVariable("MCPSM_TEST_MODULE")
        ?? typeof(ModuleSession).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "module").Value!;

    private readonly Runspace _runspace;

    public ModuleSession(bool withSecretManagement = false)
    {
        foreach (var name in UserEnvironment.Variables)
        {
            Environment.SetEnvironmentVariable(name, null);
        }
        // Without it, the module would find the keyring of the person who runs the tests.
        Environment.SetEnvironmentVariable("XDG_RUNTIME_DIR", Folder);
        Environment.SetEnvironmentVariable("MCPSM_CONFIG_DIR", Folder);
        Environment.SetEnvironmentVariable("MCPSM_INTERACTIVE", "1");
        Host = new TestHost();
        var state = InitialSessionState.CreateDefault2();
        if (OperatingSystem.IsWindows())
        {
            state.ExecutionPolicy = Microsoft.PowerShell.ExecutionPolicy.Bypass;
        }
        _runspace = RunspaceFactory.CreateRunspace(Host, state);
        _runspace.Open();
        // After opening, which adds the module folders of this machine. They may hold the real SecretManagement.
        Environment.SetEnvironmentVariable("PSModulePath", Path.Combine(AppContext.BaseDirectory, withSecretManagement ? "StandIn" : "none"));
        Run("$global:StandInVaults = @{}; $global:StandInCalls = [System.Collections.Generic.List[string]]::new()");
        Run("Import-Module $args[0]", Module);
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("mcpsm-test-").FullName;

    public TestHost Host { get; }

    /// <summary>The errors of the last call of <c>Run</c>.</summary>
    public IReadOnlyList<ErrorRecord> Errors { get; private set; } = [];

    public IReadOnlyList<string> Warnings { get; private set; } = [];

    /// <summary>Runs a script and throws its terminating errors as exceptions.</summary>
    public IReadOnlyList<PSObject> Run(string script, params object[] arguments)
    {
        using var shell = Shell(script, arguments);
        try
        {
            return [.. shell.Invoke()];
        }
        finally
        {
            Errors = [.. shell.Streams.Error];
            Warnings = [.. shell.Streams.Warning.Select(w => w.Message)];
        }
    }

    public System.Management.Automation.PowerShell Shell(string script, params object[] arguments)
    {
        var shell = System.Management.Automation.PowerShell.Create(_runspace).AddScript(script);
        foreach (var argument in arguments)
        {
            shell.AddArgument(argument);
        }
        return shell;
    }

    public string Text(string script, params object[] arguments) => string.Join('\n', Run(script, arguments).Select(o => o.ToString()));

    public void Dispose()
    {
        _runspace.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}
